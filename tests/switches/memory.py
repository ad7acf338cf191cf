"""The switch in memory; a restart of it is nothing, and there is nothing beside it that could be edited."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.traffic.memory import MemorySwitch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from expandcontract.core.color import Color, Weights


class MemoryRig:
    """One object that is balancer and adapter."""

    def __init__(self, _directory: Path, _colors: Mapping[Color, int]) -> None:
        self._switch = MemorySwitch()

    def switch(self) -> MemorySwitch:
        """The same object: another would have other weights."""
        return self._switch

    def start(self) -> None:
        """Let it answer."""
        self._switch.reachable = True

    def stop(self) -> None:
        """Let it not answer."""
        self._switch.reachable = False

    def edit(self, weights: Weights) -> None:
        """Somebody else's write."""
        self._switch.weights = weights
