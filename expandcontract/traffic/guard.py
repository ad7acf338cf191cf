"""What is watched while a color is given traffic: its readiness, and figures of it beside those of the live color."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from expandcontract.core.guard import Look, Measured, Metric, judge
from expandcontract.errors import UnhealthyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from expandcontract.core.color import Color, Weights
    from expandcontract.core.facts import ColorHealth

LOOKS = 4
"""How often a stage is looked at, at the least, however short it is."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One metric, and where it is read.

    Attributes:
        metric: What is allowed of it.
        read: Measures it of a color; raises nothing.
    """

    metric: Metric
    read: Callable[[Color], Measured]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """How a stage is watched.

    Attributes:
        gauges: What is measured; none: readiness alone is watched.
        interval: Between two looks; shorter where the soak is short.
        in_a_row: How many looks in a row must find a metric beyond its limit.
        may_fail: How many looks of a stage may find the color not ready.
        wait_for_data: How long a stage goes on beyond its soak while a metric cannot be judged.
    """

    gauges: Sequence[Gauge] = ()
    interval: timedelta = timedelta(seconds=2)
    in_a_row: int = 1
    may_fail: int = 0
    wait_for_data: timedelta = timedelta(minutes=1)

    def every(self, soak: timedelta) -> timedelta:
        """The time between two looks of a stage that soaks so long."""
        return min(self.interval, soak / LOOKS) if soak else self.interval


class Watched:
    """One shift under its guard; remembers what the live color showed while it had traffic.

    Args:
        guard: What is watched.
        toward: The color that is given traffic.
        check: Probes a color.
        compared: Whether the other color had traffic when the shift began, so that there is something to compare with.
    """

    def __init__(
        self, guard: Guard, toward: Color, check: Callable[[Color], ColorHealth], *, compared: bool = True
    ) -> None:
        self.guard = guard
        self.toward = toward
        self._check = check
        self._compared = compared
        self._live: dict[str, Measured] = {}

    def begin(self) -> None:
        """Measure the live color before anything is given away.

        Raises:
            UnhealthyError: A source cannot be asked, or a question is wrong.
        """
        for gauge in self.guard.gauges:
            found = gauge.read(self.toward.other)
            if found.fault:
                msg = f"guard.metrics.{gauge.metric.name} cannot be measured: {found.why}"
                raise UnhealthyError(msg, hint="mend its source or the setting, then the same command again")
            self._keep(gauge.metric.name, found)

    def look(self, weights: Weights) -> Look:
        """What is to be seen now, with these weights in force."""
        health = self._check(self.toward)
        judged = tuple(
            judge(gauge.metric, self.toward, gauge.read(self.toward), self._beside(gauge, weights))
            for gauge in self.guard.gauges
        )
        return Look(health=health, judged=judged)

    def _beside(self, gauge: Gauge, weights: Weights) -> Measured | None:
        """What the live color shows; once it has no traffic, what it showed last."""
        if gauge.metric.ratio_to_live is None:
            return None
        if weights.of(self.toward.other):
            found = gauge.read(self.toward.other)
            self._keep(gauge.metric.name, found)
            return found
        never = Measured(why="it had no value while it had traffic") if self._compared else None
        return self._live.get(gauge.metric.name, never)

    def _keep(self, name: str, found: Measured) -> None:
        if found.value is not None:
            self._live[name] = found
