"""One stage of a shift while it soaks: looked at again and again, ended at once by what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from expandcontract.core.guard import broken, lacking
from expandcontract.errors import UnhealthyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from expandcontract.core.color import Color, Weights
    from expandcontract.core.guard import Look
    from expandcontract.traffic.guard import Watched
    from expandcontract.traffic.orders import Heeding, Held, Resumed


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


def watch(
    watched: Watched, weights: Weights, soak: timedelta, heeding: Heeding
) -> Iterator[Checked | Waits | Held | Resumed]:
    """Let a stage soak, looking at it several times; one that is paused is looked at until it is resumed.

    Args:
        watched: What is looked at.
        weights: Those of the stage, in force.
        soak: How long.
        heeding: Hears what the shift is told.

    Yields:
        Waits where data are missing at the end of the soak, Held and Resumed where it is paused; at last Checked.

    Raises:
        AbortedError: It was told to go back.
        UnhealthyError: The color was not ready, a metric was beyond its limit, or its data did not come.
    """
    looks: list[Look] = []
    guard, told = watched.guard, False
    every, length = guard.every(soak).total_seconds(), soak.total_seconds()
    longest = length + guard.wait_for_data.total_seconds()
    began = monotonic()
    while True:
        gone = monotonic() - began
        rest = max(0.0, min(every, length - gone)) if gone < length or not looks else every
        yield from heeding.rest(weights, rest)
        looks.append(watched.look(weights))
        gone = monotonic() - began
        why = broken(looks, may_fail=guard.may_fail, in_a_row=guard.in_a_row)
        missing = lacking(looks[-1]) if gone >= length else ""
        if missing and gone >= longest and not heeding.held:
            why = why or f"{missing}; without data a stage is not passed"
        if why or (gone >= length and not missing and not heeding.held):
            yield Checked(watched.toward, weights, looks[-1], why)
            if not why:
                return
            percent = weights.of(watched.toward)
            msg = f"{watched.toward} failed its check at {percent} %, {gone:.0f} s into a soak of {length:g} s: {why}"
            raise UnhealthyError(msg)
        if missing and not told and not heeding.held:
            told = True
            yield Waits(missing, max(0.0, longest - gone))
