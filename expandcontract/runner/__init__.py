"""The order of things: observe, judge, begin, one step, finish. CLI and server are skins over it."""

from __future__ import annotations

from expandcontract.runner.events import Event
from expandcontract.runner.runner import Runner

__all__ = ["Event", "Runner"]
