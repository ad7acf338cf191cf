"""What counts as too much, how much slower everybody goes, and how it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.core.throttle import (
    MEANS,
    SLOWEST,
    Reading,
    Sample,
    Signal,
    Unit,
    Unknown,
    behind_s,
    quantity,
    slowdown,
)


def lag(value: float, limit: float = 5.0, detail: str = "") -> Reading:
    """A reading of a replica's lag."""
    return Reading(signal=Signal.REPLICA_LAG, value=value, limit=limit, detail=detail)


def test_every_signal_has_words_and_a_unit() -> None:
    """No signal is without a title, and no title is left over."""
    assert set(Signal) == set(MEANS)
    assert Unit.SECONDS == lag(1).unit


@pytest.mark.parametrize(("value", "breached"), [(4.9, False), (5.0, False), (5.1, True)])
def test_above_the_limit_is_a_breach(value: float, breached: bool) -> None:  # noqa: FBT001 - the expected answer
    """The limit itself is still allowed."""
    assert breached == lag(value).breached


def test_a_limit_of_zero_allows_none() -> None:
    """One session that waits is a breach where the limit is none."""
    assert [False, True] == [Reading(signal=Signal.WAITING_SESSIONS, value=n, limit=0).breached for n in (0, 1)]


@pytest.mark.parametrize(
    ("values", "rest"),
    [((), 0.0), ((0.0,), 0.0), ((4.0,), 0.0), ((4.5,), 2.0), ((5.0,), SLOWEST), ((4.5, 1.0), 2.0), ((7.0,), 0.0)],
)
def test_the_nearest_limit_slows(values: tuple[float, ...], rest: float) -> None:
    """Nothing below 80 %, four batch times at the limit, evenly between; the nearest signal counts, a breach stops."""
    assert pytest.approx(rest) == slowdown([lag(value) for value in values])


def test_a_limit_of_zero_slows_nothing() -> None:
    """There is no way towards a limit of none."""
    assert 0.0 == slowdown([Reading(signal=Signal.WAITING_SESSIONS, value=0, limit=0)])


@given(st.lists(st.floats(0, 100)), st.floats(0, 5))
def test_slower_is_never_less_than_before(values: list[float], more: float) -> None:
    """One more signal within its limit never makes anybody faster, and nobody rests for longer than at a limit."""
    before = slowdown([lag(value) for value in values])
    assert before <= slowdown([*(lag(value) for value in values), lag(more)]) <= SLOWEST + 1e-9


SAID = {
    "replica lag 7.2 s, limit 5 s (replica1)": lag(7.2, detail="replica1"),
    "replica lag 7 s, limit 5 s": lag(7.0),
    "oldest snapshot 20m, limit 15m (session 7 of app)": Reading(
        signal=Signal.OLDEST_SNAPSHOT, value=1200, limit=900, detail="session 7 of app"
    ),
    "backlog of a replication slot 1.5 GB, limit 1 GB (slot cdc)": Reading(
        signal=Signal.SLOT_BACKLOG_BYTES, value=1.5 * 2**30, limit=2**30, detail="slot cdc"
    ),
    "backfill.throttle.command: ended with 3: too busy": Reading(
        signal=Signal.COMMAND, value=1, limit=0, detail="ended with 3: too busy"
    ),
    "dead rows of the table 31 %, limit 30 % (public.users)": Reading(
        signal=Signal.DEAD_SHARE, value=0.31, limit=0.3, detail="public.users"
    ),
    "sessions waiting on the backfill 2, limit 0 (session 7 of app)": Reading(
        signal=Signal.WAITING_SESSIONS, value=2, limit=0, detail="session 7 of app"
    ),
}


@pytest.mark.parametrize("text", SAID)
def test_a_reading_is_told_with_its_limit(text: str) -> None:
    """What was measured stands beside what is allowed, in one unit, with who it is."""
    assert text == str(SAID[text])


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, Unit.BYTES, "0 bytes"),
        (1023, Unit.BYTES, "1023 bytes"),
        (1024, Unit.BYTES, "1 kB"),
        (20 * 2**20, Unit.BYTES_PER_S, "20 MB/s"),
        (2**50, Unit.BYTES, "1,024.0 TB"),
        (59.96, Unit.SECONDS, "60 s"),
        (60, Unit.SECONDS, "1m"),
        (0.25, Unit.SHARE, "25 %"),
        (1234, Unit.COUNT, "1,234"),
        (0.5, Unit.COUNT, "0.5"),
    ],
)
def test_quantities_have_their_unit(value: float, unit: Unit, text: str) -> None:
    """Sizes as PostgreSQL counts them, lengths of time as settings have them."""
    assert text == quantity(value, unit)


def test_unknown_is_said_with_its_grant() -> None:
    """What may not be read is told with what it means, and with the statement that would allow it."""
    bare = Unknown(signal=Signal.REPLICA_LAG, why="role ec may not see it")
    assert "replica lag: unknown, role ec may not see it; the backfill does not heed it" == str(bare)
    granted = Unknown(signal=Signal.REPLICA_LAG, why="role ec may not see it", grant="GRANT pg_monitor TO ec")
    assert f"{bare}. To let it: GRANT pg_monitor TO ec" == str(granted)


ROAD = [Sample(at_s=0, position=100), Sample(at_s=10, position=100), Sample(at_s=20, position=300)]


@pytest.mark.parametrize(
    ("replayed", "seconds"),
    [
        (300, 0),  # it has everything
        (400, 0),  # it has more than was written when we looked
        (200, 5),  # half the way between two samples
        (100, 10),  # nothing was written for a while; what it lacks is younger than that
        (50, 20),  # from before we looked: at least as long as we have been looking
    ],
)
def test_a_replica_is_as_far_behind_as_the_primary_is_ahead(replayed: int, seconds: float) -> None:
    """The lag is how long ago the primary stood where the replica stands."""
    assert pytest.approx(seconds) == behind_s(ROAD, replayed)


def test_without_a_sample_nobody_is_behind() -> None:
    """Before the first look there is nothing to compare with."""
    assert 0.0 == behind_s([], 5)


@given(st.lists(st.integers(0, 1000), min_size=1), st.integers(0, 1000), st.integers(0, 1000))
def test_who_has_replayed_more_is_never_further_behind(written: list[int], one: int, other: int) -> None:
    """The lag falls, or stays, as the replica goes on."""
    samples = [Sample(at_s=at, position=position) for at, position in enumerate(sorted(written))]
    assert behind_s(samples, max(one, other)) <= behind_s(samples, min(one, other))
