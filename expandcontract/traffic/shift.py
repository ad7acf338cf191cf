"""The staged shift: an intent before each write, a reading after it, a watch over each soak, and back on failure.

It is a generator: the caller saves each :class:`Intent` before it asks for the next event, and only then is the
balancer written. So an intent is always older than its effect.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from expandcontract.core.color import FULL, Weights
from expandcontract.errors import SwitchError, TrafficError
from expandcontract.traffic.guard import Guard, Watched
from expandcontract.traffic.switch import abilities, standing
from expandcontract.traffic.watch import Checked, Waits, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tenacity import RetryCallState

    from expandcontract.core.color import Color
    from expandcontract.core.facts import ColorHealth
    from expandcontract.traffic.switch import TrafficSwitch

AT_ONCE = timedelta()
BACK_WITHIN = timedelta(seconds=30)
AGAIN_AFTER = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class Intent:
    """These weights are about to be written."""

    weights: Weights


@dataclass(frozen=True, slots=True)
class Written:
    """These weights were read back after a write."""

    weights: Weights


Event = Intent | Written | Checked | Waits


def shift(
    switch: TrafficSwitch,
    *,
    toward: Color,
    steps: Sequence[int],
    soak: timedelta,
    check: Callable[[Color], ColorHealth],
    origin: Weights | None = None,
    guard: Guard | None = None,
    back_within: timedelta = BACK_WITHIN,
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

    Yields:
        Intent, Written and Checked, in that order for each stage; Waits before Checked where data are missing.

    Raises:
        UnhealthyError: The color failed a check; the traffic was taken back.
        SwitchError: The balancer failed; the traffic was taken back, or the message says that it was not.
    """
    start = standing(switch)
    steps = steps if abilities(switch).gradual else (FULL,)
    back = origin or start
    watched = Watched(guard or Guard(), toward, check, compared=back.of(toward.other) > 0)
    begun = False
    try:
        watched.begin()
        begun = True
        for percent in steps:
            weights = Weights.toward(toward, percent)
            if weights.of(toward) < start.of(toward):
                continue
            yield from move(switch, weights)
            yield from watch(watched, weights, soak)
    except TrafficError as failure:
        if not begun and start == back:
            raise
        yield from _take_back(switch, back, failure, back_within)


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
    raise type(failure)(msg, hint=failure.hint or "mend the release, then the same command again") from failure
