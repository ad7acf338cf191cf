"""What a shift under way has been told from elsewhere: to go on, to stay where it is, or to go back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from time import monotonic, sleep
from typing import TYPE_CHECKING

from expandcontract.errors import AbortedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from expandcontract.core.color import Weights

LOOK_S = 0.5
"""How often orders are asked for."""


class Word(StrEnum):
    """One of the three."""

    GO_ON = "go on"
    PAUSE = "pause"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Order:
    """What was said last.

    Attributes:
        word: What to do.
        said: By whom, since when and why; empty where nobody said anything.
    """

    word: Word = Word.GO_ON
    said: str = ""


GO_ON = Order()


def none() -> Order:
    """For a shift that nobody can reach."""
    return GO_ON


@dataclass(frozen=True, slots=True)
class Held:
    """The shift was paused: the weights stay as they are until it is resumed or aborted."""

    weights: Weights
    order: Order


@dataclass(frozen=True, slots=True)
class Resumed:
    """The pause is over."""

    weights: Weights


class Heeding:
    """Asks for orders while a shift waits for something else.

    Attributes:
        held: Whether it is paused.

    Args:
        orders: What it has been told since.
    """

    def __init__(self, orders: Callable[[], Order] = none) -> None:
        self._orders = orders
        self.held = False

    def rest(self, stands: Weights, seconds: float) -> Iterator[Held | Resumed]:
        """Wait so long, hearing twice a second what the shift is told; at least once.

        Args:
            stands: The weights in force.
            seconds: How long.

        Yields:
            Held and Resumed, as it is paused and goes on.

        Raises:
            AbortedError: It was told to go back.
        """
        ends = monotonic() + seconds
        while True:
            order = self._orders()
            if order.word is Word.ABORT:
                msg = f"the shift was aborted at {stands}, {order.said}"
                raise AbortedError(msg, hint="ec history shows the whole story; the same command begins anew")
            if self.held is not (order.word is Word.PAUSE):
                self.held = not self.held
                yield Held(stands, order) if self.held else Resumed(stands)
            left = ends - monotonic()
            if left <= 0:
                return
            sleep(min(LOOK_S, left))

    def pass_on(self, stands: Weights) -> Iterator[Held | Resumed]:
        """Wait only where it is paused, and then until it is not.

        Raises:
            AbortedError: It was told to go back.
        """
        yield from self.rest(stands, 0)
        while self.held:
            yield from self.rest(stands, LOOK_S)
