"""A stage that soaks under its guard: how often it is looked at, what ends it, and what it is compared with."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.core.facts import ColorHealth
from expandcontract.core.guard import Measured, Metric, Standing
from expandcontract.errors import SwitchError, UnhealthyError
from expandcontract.traffic.guard import Gauge, Guard, Watched
from expandcontract.traffic.memory import MemorySwitch
from expandcontract.traffic.shift import Checked, Intent, Waits, shift
from expandcontract.traffic.watch import watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from expandcontract.traffic.shift import Event

BLUE, GREEN = Color.BLUE, Color.GREEN
SOAK = timedelta(seconds=10)


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def sleep(self, seconds: float) -> None:
        """Move it."""
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Time:
    """The clock of the stages."""
    found = Time()
    for module in ("watch", "shift"):
        monkeypatch.setattr(f"expandcontract.traffic.{module}.sleep", found.sleep)
        monkeypatch.setattr(f"expandcontract.traffic.{module}.monotonic", lambda: found.now)
    return found


def run(
    guard: Guard,
    *,
    check: Callable[[Color], ColorHealth] | None = None,
    switch: MemorySwitch | None = None,
    steps: Sequence[int] = (25, 100),
) -> list[Event]:
    """A shift toward green; its events, without those of a failure."""
    events: list[Event] = []
    given = shift(switch or MemorySwitch(), toward=GREEN, steps=steps, soak=SOAK, check=check or _well, guard=guard)
    try:
        events.extend(given)
    finally:
        run.events = events  # type: ignore[attr-defined]
    return events


def seen() -> list[Event]:
    """The events of the last run, also of one that failed."""
    return list(run.events)  # type: ignore[attr-defined]


def _well(color: Color) -> ColorHealth:
    return ColorHealth(color=color, ok=True, evidence="200")


def gauge(read: Callable[[Color], Measured], **limits: float) -> Guard:
    """A guard with one metric."""
    metric = Metric(name="errors", **limits)  # type: ignore[arg-type]
    return Guard(gauges=[Gauge(metric, read)], interval=timedelta(seconds=1), wait_for_data=timedelta(seconds=5))


def test_looked_at_several_times(clock: Time) -> None:
    """Every interval, and four times at least however long that is."""
    looks: list[float] = []

    def check(color: Color) -> ColorHealth:
        looks.append(clock.now)
        return _well(color)

    run(Guard(interval=timedelta(seconds=3)), check=check, steps=(100,))
    assert [2.5, 5, 7.5, 10] == looks
    looks.clear()
    clock.now = 0
    run(Guard(interval=timedelta(seconds=1)), check=check, steps=(100,))
    assert [*range(1, 11)] == looks


def test_a_flap_is_seen(clock: Time) -> None:
    """A color that was not ready once, in the middle of a soak, loses what it was given; unless once is allowed."""

    def check(color: Color) -> ColorHealth:
        ok = not 4 < clock.now < 5.5
        return ColorHealth(color=color, ok=ok, evidence="200" if ok else "GET /ready: 503")

    guard = Guard(interval=timedelta(seconds=1))
    switch = MemorySwitch()
    with pytest.raises(
        UnhealthyError, match=r"green failed its check at 25 %, 5 s into a soak of 10 s: GET /ready: 503"
    ):
        run(guard, check=check, switch=switch)
    assert [Weights(75, 25), Weights(100, 0)] == switch.written
    assert 5 == clock.now
    clock.now = 0
    run(Guard(interval=timedelta(seconds=1), may_fail=1), check=check)


def test_what_happens_between_two_looks_is_told(clock: Time) -> None:
    """Whoever lets the time pass may tell something, and a rest that takes longer counts as soak."""

    def rest(seconds: float) -> Iterator[str]:
        clock.now += seconds * 2
        yield f"rested {seconds:g}"

    watched = Watched(Guard(interval=timedelta(seconds=4)), GREEN, _well)
    *told, last = watch(watched, Weights(75, 25), SOAK, rest)
    assert ["rested 2.5", "rested 2.5"] == told
    assert isinstance(last, Checked)


def test_a_breach_ends_the_stage(clock: Time) -> None:
    """At once, with measured beside limit; the event has it before the traffic is written back."""
    guard = gauge(lambda color: Measured(value=0.5 if color is GREEN and clock.now > 12 else 0.1), limit=0.2)
    with pytest.raises(
        UnhealthyError, match=r"at 100 %, 3 s into .*: errors of green is 0.5, limit 0.2; the traffic was"
    ):
        run(guard)
    passed, failed = [event for event in seen() if isinstance(event, Checked)]
    assert (25, "") == (passed.document()["percent"], passed.why)
    assert (100, "errors of green is 0.5, limit 0.2") == (failed.document()["percent"], failed.why)
    assert isinstance(seen()[-2], Intent)
    assert "is ready: 200; errors of green is 0.1, limit 0.2" in str(passed)
    assert str(failed) == "green at 100 % is not well: errors of green is 0.5, limit 0.2"


def test_a_single_breach_may_be_allowed(clock: Time) -> None:
    """Two in a row are asked for, and one comes now and then; but the last look of a stage must be good."""
    read = lambda _: Measured(value=0.5 if int(clock.now) % 2 else 0.1)  # noqa: E731
    patient = gauge(read, limit=0.2)
    run(Guard(gauges=patient.gauges, interval=timedelta(seconds=1), in_a_row=2))


def test_data_are_waited_for(clock: Time) -> None:
    """A stage goes on beyond its soak until its metric can be judged, and says once that it waits."""
    guard = gauge(lambda _: Measured(value=0.1, requests=clock.now * 4), limit=0.2, minimum=50)
    events = run(guard, steps=(100,))
    (waits,) = [event for event in events if isinstance(event, Waits)]
    assert waits.why == "errors of green is not known: it rests on 40 requests, and 50 are needed"
    assert 5 == waits.until_s
    assert 13 == clock.now


def test_no_data_is_no_success(clock: Time) -> None:
    """They do not come: the traffic goes back."""
    guard = gauge(lambda _: Measured(why="no series"), limit=0.2)
    switch = MemorySwitch()
    with pytest.raises(
        UnhealthyError, match="errors of green is not known: no series; without data a stage is not pass"
    ):
        run(guard, switch=switch)
    assert Weights(100, 0) == switch.read()
    assert 15 == clock.now
    (failed,) = [event for event in seen() if isinstance(event, Checked)]
    assert [Standing.UNKNOWN] == [found.standing for found in failed.look.judged]


def test_compared_with_what_the_live_color_showed_last(clock: Time) -> None:
    """While it has traffic the live color is measured; at 100 % of the other its last figure stands."""
    asked: list[float] = []

    def read(color: Color) -> Measured:
        if color is GREEN:
            return Measured(value=0.12)
        asked.append(clock.now)
        return Measured(value=0.1 if clock.now <= 10 else 0.0)

    run(gauge(read, ratio_to_live=1.5))
    assert 10 == max(asked)


def test_all_or_nothing_is_compared_with_before(clock: Time) -> None:
    """Without a stage between, the live color is measured before the first write."""
    read = lambda color: Measured(value=0.3 if color is GREEN else 0.1)  # noqa: E731
    with pytest.raises(UnhealthyError, match=r"0.3, limit 0.15 \(1.5 times 0.1 of blue\)"):
        run(gauge(read, ratio_to_live=1.5), steps=(100,))


def test_nothing_to_compare_with(clock: Time) -> None:
    """A live color that never had a figure leaves the ratio unknown; one that had no traffic has none to give."""
    read = lambda color: Measured(value=0.3) if color is GREEN else Measured(why="no series")  # noqa: E731
    with pytest.raises(UnhealthyError, match="of blue, to compare it with, not known: it had no value while it had"):
        run(gauge(read, ratio_to_live=1.5), steps=(100,))
    run(gauge(read, ratio_to_live=1.5), steps=(100,), switch=MemorySwitch(Weights(0, 100)))


def test_a_source_that_cannot_be_asked(clock: Time) -> None:
    """Is found before anything is written; in a shift that is under way, the traffic is taken back."""
    guard = gauge(lambda _: Measured(why="http://x does not answer", fault=True), limit=1)
    switch = MemorySwitch()
    with pytest.raises(UnhealthyError, match=r"guard.metrics.errors cannot be measured: http://x does not answer"):
        run(guard, switch=switch)
    assert [] == switch.written
    half = MemorySwitch(Weights(75, 25))
    with pytest.raises(UnhealthyError, match=r"cannot be measured.*the traffic was taken back: blue 100 %"):
        list(shift(half, toward=GREEN, steps=(100,), soak=SOAK, check=_well, guard=guard, origin=Weights.toward(BLUE)))
    assert Weights(100, 0) == half.read()


def test_going_back_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A balancer that is away for a while is waited for, and one that stays away is said to be."""
    monkeypatch.setattr("expandcontract.traffic.shift.AGAIN_AFTER", 0.01)
    now = timedelta()

    def sick(color: Color) -> ColorHealth:
        return ColorHealth(color=color, ok=False, evidence="503")

    for within, failing, said in ((timedelta(seconds=20), 3, "taken back"), (timedelta(), 1, "failed too")):
        switch = MemorySwitch()
        events = shift(switch, toward=GREEN, steps=(50, 100), soak=now, check=sick, back_within=within)
        while not isinstance(next(events), Checked):
            pass
        switch.fail_writes = failing
        with pytest.raises((UnhealthyError, SwitchError), match=said):
            list(events)
        assert (Weights(100, 0) if said == "taken back" else Weights(50, 50)) == switch.read()
