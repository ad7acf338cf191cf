"""What a command that moves changes was called with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from expandcontract.core.release import Speaks


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The flags of ``ec advance`` and ``ec run``.

    Attributes:
        release: The version that a shift deploys and gives the traffic to; ``None`` where none was named.
        by_database: Whether the triggers alone shall carry the dual writes.
        speaks: What the release was said to speak.
        steps: Per cents of the shift; ``None``: as the settings have them.
        fence: Whether a contract may lock out the login roles of releases that do not speak ``new``.
    """

    release: str | None = None
    by_database: bool = False
    speaks: Mapping[str, Speaks] = field(default_factory=dict)
    steps: Sequence[int] | None = None
    fence: bool = False
