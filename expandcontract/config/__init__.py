"""Settings: a file, the environment, flags; each later source overrides the earlier."""

from __future__ import annotations
