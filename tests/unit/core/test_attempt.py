"""How long, how often and with which end a lock is asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.core.attempt import (
    FLOOR,
    LADDER,
    LONGEST_BACKOFF,
    LOOK,
    RUNG,
    TALLEST,
    Pause,
    Seen,
    Stop,
    Try,
    after_failure,
    next_step,
    remaining,
    rungs,
)

MS = timedelta(milliseconds=1)
SECOND = timedelta(seconds=1)
LENGTHS = st.integers(0, 3_600_000).map(lambda number: number * MS)
SEEN = st.builds(
    Seen,
    attempt=st.integers(1, 10_000),
    looks=st.integers(0, 10_000),
    oldest=st.none() | LENGTHS | st.just(timedelta.max),
    yields=st.booleans(),
    elapsed=LENGTHS,
    budget=LENGTHS,
    deadlock_timeout=st.integers(1, 60_000).map(lambda number: number * MS),
    chance=st.floats(0, 1),
)


def seen(**given_: object) -> Seen:
    """Nothing in the way, at the beginning of a budget of ten minutes."""
    found: dict[str, object] = {
        "attempt": 1,
        "looks": 0,
        "oldest": None,
        "yields": False,
        "elapsed": timedelta(),
        "budget": 600 * SECOND,
        "deadlock_timeout": SECOND,
        "chance": 0.5,
    }
    return Seen(**{**found, **given_})  # type: ignore[arg-type]


@given(SEEN)
def test_no_attempt_is_unlimited(at: Seen) -> None:
    """Whatever was seen, an attempt's lock_timeout lies between 100 ms and two seconds."""
    step = next_step(at)
    if isinstance(step, Try):
        assert LADDER[0] <= step.lock_timeout <= TALLEST


@given(SEEN)
def test_only_an_autovacuum_that_yields_is_worth_more_than_a_second(at: Seen) -> None:
    """Above the ladder's top an attempt waits only to pass deadlock_timeout, and then by one rung."""
    step = next_step(at)
    if isinstance(step, Try) and step.lock_timeout > LADDER[-1]:
        assert at.yields
        assert at.deadlock_timeout + RUNG == step.lock_timeout


@given(SEEN)
def test_a_doomed_attempt_is_not_made(at: Seen) -> None:
    """While a transaction older than the limit holds the lock, no attempt queues in front of the application."""
    step = next_step(at)
    if isinstance(step, Try) and at.oldest is not None:
        assert at.oldest <= step.lock_timeout


@given(SEEN)
def test_the_budget_ends_it(at: Seen) -> None:
    """No pause reaches beyond the budget, and with the budget spent only a first attempt that is free is still made."""
    for step in (next_step(at), after_failure(at)):
        if isinstance(step, Pause):
            assert timedelta() <= step.length <= at.budget - at.elapsed
            assert step.length <= max(LONGEST_BACKOFF, LOOK)
        if at.elapsed >= at.budget:
            assert isinstance(step, Stop) or (isinstance(step, Try) and at.attempt == 1)


@given(SEEN)
def test_every_kind_of_wait_comes_to_an_end(at: Seen) -> None:
    """A run that always fails, each attempt lasting its limit, stops after a bounded number of steps."""
    elapsed, steps = timedelta(), 0
    while True:
        steps += 1
        now = seen(attempt=steps, elapsed=elapsed, budget=min(at.budget, 60 * SECOND), chance=at.chance)
        step = next_step(now)
        if isinstance(step, Stop):
            break
        assert isinstance(step, Try)
        away = after_failure(now)
        if isinstance(away, Stop):
            break
        elapsed += step.lock_timeout + away.length
        assert steps <= 700


@pytest.mark.parametrize(("attempt", "limit"), [(1, 100), (2, 250), (3, 500), (4, 1000), (5, 1000)])
def test_the_ladder(attempt: int, limit: int) -> None:
    """Failed attempts lead from 100 ms to one second and stay there."""
    assert Try(limit * MS) == next_step(seen(attempt=attempt))


def test_looks_in_vain_open_higher_rungs() -> None:
    """Transactions of 400 ms, one after the other, are outwaited once four looks have met them; a stuck one never."""
    assert (LADDER[0],) == rungs(1, 0)
    assert LADDER == rungs(1, 7)
    assert isinstance(next_step(seen(oldest=400 * MS)), Pause)
    assert isinstance(next_step(seen(oldest=400 * MS, looks=1)), Pause)
    assert Try(500 * MS) == next_step(seen(oldest=400 * MS, looks=2))
    assert isinstance(next_step(seen(oldest=1001 * MS, looks=99)), Pause)
    assert Try(100 * MS) == next_step(seen(oldest=None, looks=99))


def test_an_autovacuum_is_outwaited_by_one_rung() -> None:
    """Where only an ordinary autovacuum is in the way, the attempt passes deadlock_timeout; a session beside counts."""
    assert Try(1250 * MS) == next_step(seen(yields=True))
    assert Try(450 * MS) == next_step(seen(yields=True, deadlock_timeout=200 * MS))
    assert Try(1000 * MS) == next_step(seen(yields=True, attempt=4, deadlock_timeout=200 * MS))
    assert isinstance(next_step(seen(yields=True, oldest=5 * SECOND)), Pause)


def test_a_server_that_takes_long_to_look_for_deadlocks() -> None:
    """With deadlock_timeout at a minute the autovacuum is waited for from afar, not from within the queue."""
    assert isinstance(next_step(seen(yields=True, deadlock_timeout=60 * SECOND)), Pause)
    assert Try(100 * MS) == next_step(seen(deadlock_timeout=60 * SECOND))


def test_backing_off() -> None:
    """Pauses after failures double from half a second to a minute, and chance takes any part of them."""
    lengths = [after_failure(seen(attempt=attempt, chance=1.0)) for attempt in (1, 2, 3, 7, 8, 500)]
    assert [Pause(seconds * SECOND) for seconds in (0.5, 1, 2, 32, 60, 60)] == lengths
    assert Pause(timedelta()) == after_failure(seen(chance=0.0))
    assert Stop() == after_failure(seen(elapsed=600 * SECOND))


@given(LENGTHS.filter(bool), LENGTHS)
def test_later_locks_get_what_is_left(limit: timedelta, since: timedelta) -> None:
    """The locks of one transaction share its limit, but for a floor that an unheld lock always passes."""
    left = remaining(limit, since)
    assert timedelta() < left <= limit
    assert left <= max(limit - since, FLOOR)
