"""The staged shift: an intent before each write, a reading after it, a check after each soak, and back on failure.

It is a generator: the caller saves each :class:`Intent` before it asks for the next event, and only then is the
balancer written. So an intent is always older than its effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import sleep
from typing import TYPE_CHECKING

from expandcontract.core.color import FULL, Weights
from expandcontract.errors import SwitchError, TrafficError, UnhealthyError
from expandcontract.traffic.switch import abilities, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from expandcontract.core.color import Color
    from expandcontract.core.facts import ColorHealth
    from expandcontract.traffic.switch import TrafficSwitch


@dataclass(frozen=True, slots=True)
class Intent:
    """These weights are about to be written."""

    weights: Weights


@dataclass(frozen=True, slots=True)
class Written:
    """These weights were read back after a write."""

    weights: Weights


@dataclass(frozen=True, slots=True)
class Checked:
    """The color with the new traffic was probed after the soak."""

    health: ColorHealth


Event = Intent | Written | Checked


def shift(
    switch: TrafficSwitch,
    *,
    toward: Color,
    steps: Sequence[int],
    soak: timedelta,
    check: Callable[[Color], ColorHealth],
    origin: Weights | None = None,
) -> Iterator[Event]:
    """Give ``toward`` the traffic, stage by stage, from wherever the balancer stands.

    Args:
        switch: The balancer.
        toward: The color to give the traffic to.
        steps: Per cents of the stages, rising, the last one 100; those passed already are skipped, and so are all but
            the last where the balancer knows only all or nothing.
        soak: How long each stage is left to run before it is checked.
        check: Probes a color.
        origin: Where to go back to on failure; default what the balancer reads at the start.

    Yields:
        Intent, Written and Checked, in that order for each stage.

    Raises:
        UnhealthyError: The color failed a check; the traffic was taken back.
        SwitchError: The balancer failed; the traffic was taken back, or the message says that it was not.
    """
    start = standing(switch)
    steps = steps if abilities(switch).gradual else (FULL,)
    back = origin or start
    try:
        for percent in steps:
            weights = Weights.toward(toward, percent)
            if weights.of(toward) < start.of(toward):
                continue
            yield from move(switch, weights)
            sleep(soak.total_seconds())
            health = check(toward)
            yield Checked(health)
            if not health.ok:
                msg = f"{toward} failed its check at {percent} %: {health.evidence}"
                raise UnhealthyError(msg)  # answered below like every other failure
    except TrafficError as failure:
        yield from _take_back(switch, back, failure)


def move(switch: TrafficSwitch, weights: Weights) -> Iterator[Event]:
    """One write between its intent and its reading.

    Raises:
        SwitchError: The balancer failed, or reads something else than was written.
    """
    yield Intent(weights)
    switch.write(weights)
    found = switch.read()
    yield Written(found)
    if found != weights:
        msg = f"the balancer was given {weights} and reads {found}"
        raise SwitchError(msg)


def _take_back(switch: TrafficSwitch, back: Weights, failure: TrafficError) -> Iterator[Event]:
    try:
        yield from move(switch, back)
    except TrafficError as second:
        msg = f"{failure.message}; going back to {back} failed too: {second.message}"
        raise SwitchError(msg, hint="mend the balancer, then ec rollback CHANGE") from failure
    msg = f"{failure.message}; the traffic was taken back: {back}"
    raise type(failure)(msg, hint=failure.hint or "mend the release, then the same command again") from failure
