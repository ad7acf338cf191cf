"""The staged shift: an intent before each write, a reading after it, a watch over each soak, and back on failure.

Orders given meanwhile are asked for twice a second while a stage soaks, and before each write.

It is a generator: the caller saves each :class:`Intent` before it asks for the next event, and only then is the
balancer written. So an intent is always older than its effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic, sleep
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from expandcontract.core.color import FULL, Weights
from expandcontract.errors import AbortedError, SwitchError, TrafficError, UnsavedError
from expandcontract.traffic.guard import Guard, Watched
from expandcontract.traffic.orders import Word, none
from expandcontract.traffic.switch import abilities, standing
from expandcontract.traffic.watch import Checked, Waits, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tenacity import RetryCallState

    from expandcontract.core.color import Color
    from expandcontract.core.facts import ColorHealth
    from expandcontract.traffic.orders import Order
    from expandcontract.traffic.switch import TrafficSwitch

AT_ONCE = timedelta()
BACK_WITHIN = timedelta(seconds=30)
AGAIN_AFTER = 1.0  # seconds
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


Event = Intent | Written | Checked | Waits | Held | Resumed | Busy


def shift(  # noqa: PLR0913  # each is decided by the caller
    switch: TrafficSwitch,
    *,
    toward: Color,
    steps: Sequence[int],
    soak: timedelta,
    check: Callable[[Color], ColorHealth],
    origin: Weights | None = None,
    guard: Guard | None = None,
    back_within: timedelta = BACK_WITHIN,
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
        soak: How long each stage is watched.
        check: Probes a color.
        origin: Where to go back to on failure; default what the balancer reads at the start.
        guard: What is watched in each stage beside readiness.
        back_within: How long it is tried to take the traffic back, where the balancer does not let us.
        back: Whether there is a way back; without one the traffic stays as it was written last.
        orders: What the shift has been told since.
        busy: What the other color is still at after the last stage, asked for again and again until it is nothing.

    Yields:
        Intent, Written and Checked, in that order for each stage; Waits before Checked where data are missing; Held and
        Resumed where it was paused; Busy, once for each new answer, until the shift is done.

    Raises:
        UnhealthyError: The color failed a check; the traffic was taken back.
        AbortedError: It was told to; the traffic was taken back.
        SwitchError: The balancer failed, or someone else moved the traffic meanwhile; the traffic was taken back, or
            the message says that it was not.
    """
    start = standing(switch)
    steps = steps if abilities(switch).gradual else (FULL,)
    origin = origin or start
    stages = [
        stage
        for stage in (Weights.toward(toward, percent) for percent in steps)
        if stage.of(toward) >= start.of(toward)
    ]
    watched = Watched(guard or Guard(), toward, check, compared=origin.of(toward.other) > 0)
    heed = Heeding(orders)
    begun = False
    try:
        watched.begin()
        begun = True
        yield from _stages(switch, start, stages, soak, watched, heed)
        yield from _emptied(Weights.toward(toward), busy, heed)
    except TrafficError as failure:
        if not back or (not begun and start == origin):
            raise
        yield from _take_back(switch, origin, failure, back_within)


def _stages(
    switch: TrafficSwitch, stands: Weights, stages: Sequence[Weights], soak: timedelta, watched: Watched, heed: Heeding
) -> Iterator[Event]:
    for weights in stages:
        yield from heed.freed(stands)
        found = standing(switch)
        if found != stands:
            msg = f"someone else moved the traffic in the middle of the shift: it was given {stands} and reads {found}"
            raise SwitchError(msg)
        yield from move(switch, weights)
        stands = weights
        yield from watch(watched, weights, soak, heed.resting(stands), lambda: heed.held)


def _emptied(stands: Weights, busy: Callable[[], str], heed: Heeding) -> Iterator[Event]:
    said = ""
    while found := busy():
        if found != said:
            yield Busy(found)
        said = found
        yield from heed.rest(stands, LOOK_S)


class Heeding:
    """Lets time pass, and asks meanwhile what the shift has been told.

    Args:
        orders: What that is.
    """

    def __init__(self, orders: Callable[[], Order]) -> None:
        self._orders = orders
        self.held = False

    def resting(self, stands: Weights) -> Callable[[float], Iterator[Held | Resumed]]:
        """Lets so many seconds pass, with these weights in force."""
        return lambda seconds: self.rest(stands, seconds)

    def freed(self, stands: Weights) -> Iterator[Held | Resumed]:
        """Wait for as long as the shift is paused."""
        yield from self._heard(stands)
        while self.held:
            yield from self.rest(stands, LOOK_S)

    def rest(self, stands: Weights, seconds: float) -> Iterator[Held | Resumed]:
        """Let so many seconds pass, paused or not; a pause counts as such time.

        Raises:
            AbortedError: It was told to end.
        """
        ends = monotonic() + seconds
        while True:
            yield from self._heard(stands)
            left = ends - monotonic()
            if left <= 0:
                return
            sleep(min(LOOK_S, left))

    def _heard(self, stands: Weights) -> Iterator[Held | Resumed]:
        order = self._orders()
        if order.word is Word.ABORT:
            msg = f"the shift was aborted at {stands}, {order.said}"
            raise AbortedError(msg, hint="ec history shows the whole story; the same command begins anew")
        if self.held is not (order.word is Word.PAUSE):
            self.held = not self.held
            yield Held(stands, order) if self.held else Resumed(stands)


def move(switch: TrafficSwitch, weights: Weights, within: timedelta = AT_ONCE) -> Iterator[Event]:
    """One write between its intent and its reading; tried again for as long as it may take.

    Raises:
        SwitchError: The balancer failed, or reads something else than was written.
    """
    yield Intent(weights)
    policy = Retrying(
        retry=retry_if_exception_type(SwitchError) | retry_if_result(lambda found: found != weights),
        stop=stop_after_delay(within),
        wait=wait_fixed(AGAIN_AFTER),
        retry_error_callback=_last,
    )
    found: Weights = policy(_written, switch, weights)
    yield Written(found)
    if found != weights:
        msg = f"the balancer was given {weights} and reads {found}"
        raise SwitchError(msg)


def _written(switch: TrafficSwitch, weights: Weights) -> Weights:
    switch.write(weights)
    return switch.read()


def _last(state: RetryCallState) -> Weights:
    assert state.outcome is not None  # noqa: S101  # it was tried
    found: Weights = state.outcome.result()
    return found


def _take_back(switch: TrafficSwitch, back: Weights, failure: TrafficError, within: timedelta) -> Iterator[Event]:
    try:
        yield from move(switch, back, within)
    except TrafficError as second:
        msg = f"{failure.message}; going back to {back} failed too: {second.message}"
        raise SwitchError(msg, hint="mend the balancer, then ec rollback CHANGE") from failure
    msg = f"{failure.message}; the traffic was taken back: {back}"
    kind = SwitchError if isinstance(failure, UnsavedError) else type(failure)
    raise kind(msg, hint=failure.hint or "mend the release, then the same command again") from failure
