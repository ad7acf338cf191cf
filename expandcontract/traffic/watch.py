"""One stage of a shift while it soaks: looked at again and again, ended at once by what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING, Never, TypeVar

from expandcontract.core.guard import broken, lacking
from expandcontract.errors import UnhealthyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import timedelta

    from expandcontract.core.color import Color, Weights
    from expandcontract.core.guard import Look
    from expandcontract.traffic.guard import Watched


Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Checked:
    """A stage is over.

    Attributes:
        color: The color with the new traffic.
        weights: Those of the stage.
        look: The last look at it.
        why: Why the stage was not passed; empty where it was.
    """

    color: Color
    weights: Weights
    look: Look
    why: str = ""

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping."""
        return {
            "color": self.color,
            "percent": self.weights.of(self.color),
            "ok": not self.why,
            "why": self.why,
            "ready": self.look.health.evidence,
            "metrics": [found.document() for found in self.look.judged],
        }

    def __str__(self) -> str:
        percent = self.weights.of(self.color)
        if self.why:
            return f"{self.color} at {percent} % is not well: {self.why}"
        seen = "; ".join([self.look.health.evidence, *map(str, self.look.judged)])
        return f"{self.color} at {percent} % is ready: {seen}"


@dataclass(frozen=True, slots=True)
class Waits:
    """The soak is over, and the stage goes on, because something cannot be judged yet.

    Attributes:
        why: What, in words.
        until_s: For how many seconds at most.
    """

    why: str
    until_s: float


def rested(seconds: float) -> Iterator[Never]:
    """Sleep, and tell nothing."""
    sleep(seconds)
    yield from ()


def watch(
    watched: Watched,
    weights: Weights,
    soak: timedelta,
    rest: Callable[[float], Iterator[Told]] = rested,
    held: Callable[[], bool] = bool,
) -> Iterator[Checked | Waits | Told]:
    """Let a stage soak, looking at it several times.

    Args:
        watched: What is looked at.
        weights: Those of the stage, in force.
        soak: How long.
        rest: Lets so many seconds pass between two looks, and may tell something meanwhile.
        held: Whether the shift is paused: then the stage goes on, and is looked at as before.

    Yields:
        What ``rest`` tells; Waits where data are missing at the end of the soak; at last Checked.

    Raises:
        UnhealthyError: The color was not ready, a metric was beyond its limit, or its data did not come.
    """
    looks: list[Look] = []
    guard, over = watched.guard, None
    every, length = guard.every(soak).total_seconds(), soak.total_seconds()
    patience = guard.wait_for_data.total_seconds()
    began = monotonic()
    while True:
        gone = monotonic() - began
        yield from rest(max(0.0, min(every, length - gone)) if gone < length or not looks else every)
        looks.append(watched.look(weights))
        gone = monotonic() - began
        why = broken(looks, may_fail=guard.may_fail, in_a_row=guard.in_a_row)
        soaked = gone >= length and not held()
        missing = lacking(looks[-1]) if soaked else ""
        if soaked and over is None:
            over = gone
            if missing and not why and patience:
                yield Waits(missing, patience)
        if missing and over is not None and gone - over >= patience:
            why = why or f"{missing}; without data a stage is not passed"
        if why or (soaked and not missing):
            yield Checked(watched.toward, weights, looks[-1], why)
            if not why:
                return
            percent = weights.of(watched.toward)
            into = f", {gone:.0f} s into a soak of {length:g} s" if soak else ""
            msg = f"{watched.toward} failed its check at {percent} %{into}: {why}"
            raise UnhealthyError(msg)
