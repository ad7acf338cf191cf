"""How a lock is asked for: pure decisions from what was seen to the next look, attempt, or end.

A waiting lock request stops everybody who comes behind it, so what an attempt may cost the application is its
``lock_timeout``. Looking at who holds the lock costs the application nothing, and is done again soon; an attempt that
failed has made others wait, and backs off for long. There is no attempt without a limit, the last one included.

Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
The ladder's first rungs are enough for transactions of up to half a second; shorter ones starve.
"""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - part of a dataclass that tests inspect
from dataclasses import dataclass, field
from datetime import timedelta

LADDER = tuple(timedelta(milliseconds=rung) for rung in (100, 250, 500, 1000))
RUNG = timedelta(milliseconds=250)
"""How far above ``deadlock_timeout`` an attempt waits that shall make an ordinary autovacuum yield."""
TALLEST = timedelta(seconds=2)
"""No attempt waits longer, whatever ``deadlock_timeout`` is."""
LOOK = timedelta(seconds=2)
BACKOFF, LONGEST_BACKOFF = timedelta(milliseconds=500), timedelta(seconds=60)
FLOOR = timedelta(milliseconds=20)
"""What is left for a later lock of the same transaction where the earlier ones have used up the limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """What the caller allows while locks are waited for.

    Attributes:
        budget: How long looks and attempts go on before the move pauses.
        statement: How long a statement may run that only changes the catalogue.
        build: How long a concurrent index build may take, its waiting for old snapshots included.
        snapshot: A concurrent build does not start while a running query's snapshot is older.
        roles: The applications' login roles, each with its color.
        terminate_idle: Whether sessions of these roles that block us idle in transaction are ended.
        command: What to type to go on; empty where nobody typed anything.
    """

    budget: timedelta = timedelta(minutes=30)
    statement: timedelta = timedelta(seconds=3)
    build: timedelta = timedelta(hours=12)
    snapshot: timedelta = timedelta(minutes=1)
    roles: Mapping[str, str] = field(default_factory=dict)
    terminate_idle: bool = False
    command: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known before the next step.

    Attributes:
        attempt: Number of the attempt that comes next, or that has just failed; from 1.
        looks: How often somebody stood in the way before this attempt could be made.
        oldest: Age of the oldest transaction that holds the lock and will not yield; ``None`` where none does.
        yields: Whether an ordinary autovacuum holds it, which gives way once ``deadlock_timeout`` has passed.
        elapsed: Since the first look.
        budget: How long this may go on.
        deadlock_timeout: The server's.
        chance: From 0 to 1, drawn anew each time.
    """

    attempt: int
    looks: int
    oldest: timedelta | None
    yields: bool
    elapsed: timedelta
    budget: timedelta
    deadlock_timeout: timedelta
    chance: float


@dataclass(frozen=True, slots=True)
class Try:
    """Attempt it now, and wait for no lock longer than this."""

    lock_timeout: timedelta


@dataclass(frozen=True, slots=True)
class Pause:
    """Stay away for this long, then look again."""

    length: timedelta


@dataclass(frozen=True, slots=True)
class Stop:
    """The budget is spent."""


def lock_timeout(rung: timedelta, *, yields: bool, deadlock_timeout: timedelta) -> timedelta:
    """The attempt's ``lock_timeout``; above ``deadlock_timeout`` only where that makes an autovacuum give way."""
    if yields and deadlock_timeout + RUNG <= TALLEST:
        return max(rung, deadlock_timeout + RUNG)
    return rung


def rungs(attempt: int, looks: int) -> tuple[timedelta, ...]:
    """The limits that may be tried now: each failed attempt takes the lowest away, each look in vain adds the next."""
    low = min(attempt, len(LADDER)) - 1
    return LADDER[low : low + looks + 1]


def next_step(seen: Seen) -> Try | Pause | Stop:
    """Whether to attempt it now, to look again later, or to stop.

    An attempt is doomed while a transaction older than its limit holds the lock. Of the limits that may be tried, the
    lowest is taken that is not, so that many transactions of half a second do not keep us away for ever.
    """
    stubborn = seen.yields and seen.deadlock_timeout + RUNG > TALLEST
    hopeful = [rung for rung in rungs(seen.attempt, seen.looks) if seen.oldest is None or seen.oldest <= rung]
    if stubborn or not hopeful:
        return _away(LOOK * (0.25 + 0.75 * seen.chance), seen)
    if seen.elapsed >= seen.budget and seen.attempt > 1:
        return Stop()
    return Try(lock_timeout(hopeful[0], yields=seen.yields, deadlock_timeout=seen.deadlock_timeout))


def after_failure(seen: Seen) -> Pause | Stop:
    """How long to stay away after attempt number ``seen.attempt`` was not given its lock."""
    doubled = BACKOFF * 2 ** min(seen.attempt - 1, 10)
    return _away(min(doubled, LONGEST_BACKOFF) * seen.chance, seen)


def _away(length: timedelta, seen: Seen) -> Pause | Stop:
    left = seen.budget - seen.elapsed
    return Stop() if left <= timedelta() else Pause(min(length, left))


def remaining(limit: timedelta, since: timedelta) -> timedelta:
    """What is left of ``limit`` for the next lock of a transaction whose first was asked for ``since`` ago.

    The locks of one transaction are held together, so whoever waits for the first waits for all of them.
    """
    return max(limit - since, min(FLOOR, limit))
