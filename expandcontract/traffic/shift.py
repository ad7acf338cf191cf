"""The staged shift: an intent before each write, a reading after it, a check after each soak, and back on failure.

Orders given meanwhile are asked for twice a second while a stage soaks, and before each write.

It is a generator: the caller saves each :class:`Intent` before it asks for the next event, and only then is the
balancer written. So an intent is always older than its effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING

from expandcontract.core.color import FULL, Weights
from expandcontract.errors import AbortedError, SwitchError, TrafficError, UnhealthyError, UnsavedError
from expandcontract.traffic.orders import Word, none
from expandcontract.traffic.switch import abilities, standing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import timedelta

    from expandcontract.core.color import Color
    from expandcontract.core.facts import ColorHealth
    from expandcontract.traffic.orders import Order
    from expandcontract.traffic.switch import TrafficSwitch

LOOK_S = 0.5
"""How often orders are asked for."""


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


@dataclass(frozen=True, slots=True)
class Held:
    """The shift was paused: the weights stay as they are until it is resumed or aborted."""

    weights: Weights
    order: Order


@dataclass(frozen=True, slots=True)
class Resumed:
    """The pause is over."""

    weights: Weights


@dataclass(frozen=True, slots=True)
class Busy:
    """All the traffic is where it should be, and the other color is still at work."""

    what: str


def nothing() -> str:
    """For a shift of which nobody can say whether the other color is still at work."""
    return ""


Event = Intent | Written | Checked | Held | Resumed | Busy


def shift(  # noqa: PLR0913  # each is decided by the caller
    switch: TrafficSwitch,
    *,
    toward: Color,
    steps: Sequence[int],
    soak: timedelta,
    check: Callable[[Color], ColorHealth],
    origin: Weights | None = None,
    back: bool = True,
    orders: Callable[[], Order] = none,
    busy: Callable[[], str] = nothing,
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
        back: Whether there is a way back; without one the traffic stays as it was written last.
        orders: What the shift has been told since.
        busy: What the other color is still at after the last stage, asked for again and again until it is nothing.

    Yields:
        Intent, Written and Checked, in that order for each stage; Held and Resumed where it was paused; Busy, once for
        each new answer, until the shift is done.

    Raises:
        UnhealthyError: The color failed a check; the traffic was taken back.
        AbortedError: It was told to; the traffic was taken back.
        SwitchError: The balancer failed, or someone else moved the traffic meanwhile; the traffic was taken back, or
            the message says that it was not.
    """
    start = standing(switch)
    steps = steps if abilities(switch).gradual else (FULL,)
    try:
        yield from _stages(switch, start, [Weights.toward(toward, percent) for percent in steps], soak, check, orders)
        yield from _emptied(Weights.toward(toward), busy, orders)
    except TrafficError as failure:
        if not back:
            raise
        yield from _take_back(switch, origin or start, failure)


def _stages(
    switch: TrafficSwitch,
    start: Weights,
    stages: Sequence[Weights],
    soak: timedelta,
    check: Callable[[Color], ColorHealth],
    orders: Callable[[], Order],
) -> Iterator[Event]:
    toward = stages[-1].live
    assert toward is not None  # noqa: S101  # the last stage is 100
    stands = start
    for weights in stages:
        if weights.of(toward) < start.of(toward):
            continue
        yield from _heed(orders, stands, 0)
        found = standing(switch)
        if found != stands:
            msg = f"someone else moved the traffic in the middle of the shift: it was given {stands} and reads {found}"
            raise SwitchError(msg)
        yield from move(switch, weights)
        stands = weights
        yield from _heed(orders, stands, soak.total_seconds())
        health = check(toward)
        yield Checked(health)
        if not health.ok:
            msg = f"{toward} failed its check at {weights.of(toward)} %: {health.evidence}"
            raise UnhealthyError(msg)


def _emptied(stands: Weights, busy: Callable[[], str], orders: Callable[[], Order]) -> Iterator[Event]:
    said = ""
    while found := busy():
        if found != said:
            yield Busy(found)
        said = found
        yield from _heed(orders, stands, LOOK_S)


def _heed(orders: Callable[[], Order], stands: Weights, soak_s: float) -> Iterator[Event]:
    """Let the stage run for so many seconds, and for as long as it is paused; a pause counts as such time."""
    ends, held = monotonic() + soak_s, False
    while True:
        order = orders()
        if order.word is Word.ABORT:
            msg = f"the shift was aborted at {stands}, {order.said}"
            raise AbortedError(msg, hint="ec history shows the whole story; the same command begins anew")
        if held is not (order.word is Word.PAUSE):
            held = not held
            yield Held(stands, order) if held else Resumed(stands)
        left = ends - monotonic()
        if not held and left <= 0:
            return
        sleep(LOOK_S if held else min(LOOK_S, left))


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
    kind = SwitchError if isinstance(failure, UnsavedError) else type(failure)
    raise kind(msg, hint=failure.hint or "mend the release, then the same command again") from failure
