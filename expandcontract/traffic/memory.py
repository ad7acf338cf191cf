"""A switch that keeps its weights in this process: for tests, and for trying out. Ships with the product."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.color import Color, Weights
from expandcontract.errors import SwitchError

if TYPE_CHECKING:
    from collections.abc import Mapping


class MemorySwitch:
    """Weights in memory.

    Attributes:
        weights: In force now.
        written: Every write, first to last.
        fail_writes: How many of the next writes fail.
    """

    def __init__(self, weights: Weights | None = None) -> None:
        self.weights = weights or Weights.toward(Color.BLUE)
        self.written: list[Weights] = []
        self.fail_writes = 0

    def read(self) -> Weights:
        """The weights in force."""
        return self.weights

    def write(self, weights: Weights) -> None:
        """Put these weights in force.

        Raises:
            SwitchError: It was told to fail.
        """
        if self.fail_writes:
            self.fail_writes -= 1
            msg = f"the memory switch was told to refuse {weights}"
            raise SwitchError(msg)
        self.weights = weights
        self.written.append(weights)


def open_memory(_options: Mapping[str, object]) -> MemorySwitch:
    """A new switch with all the traffic on blue."""
    return MemorySwitch()
