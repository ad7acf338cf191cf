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
        reachable: Whether it answers at all.
    """

    def __init__(self, weights: Weights | None = None) -> None:
        self.weights = weights or Weights.toward(Color.BLUE)
        self.written: list[Weights] = []
        self.fail_writes = 0
        self.reachable = True

    def read(self) -> Weights:
        """The weights in force.

        Raises:
            SwitchError: It was told not to answer.
        """
        self._answer()
        return self.weights

    def write(self, weights: Weights) -> None:
        """Put these weights in force.

        Raises:
            SwitchError: It was told to fail, or not to answer.
        """
        self._answer()
        if self.fail_writes:
            self.fail_writes -= 1
            msg = f"the memory switch was told to refuse {weights}"
            raise SwitchError(msg)
        self.weights = weights
        self.written.append(weights)

    def _answer(self) -> None:
        if not self.reachable:
            msg = "the memory switch was told not to answer"
            raise SwitchError(msg, hint="set its reachable to True")


def open_memory(_options: Mapping[str, object]) -> MemorySwitch:
    """A new switch with all the traffic on blue."""
    return MemorySwitch()
