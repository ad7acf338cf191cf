"""When a backfill holds back: what is watched, what counts as too much, and how that is told. Pure.

Rules for the next editor:

1. A signal is a member of :class:`Signal` with a row in :data:`MEANS`; how it is read is a gauge of
   ``expandcontract.backfill.throttle``, its limit a setting of ``[backfill.throttle]``.
2. A value above its limit stops everybody. From 80 % of the limit on everybody slows down, so that most limits are
   approached and not hit.
3. What cannot be read is :class:`Unknown`, never zero.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from expandcontract.core.duration import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SLOWS_FROM = 0.8
"""From which share of its limit on a signal slows the backfill down."""
SLOWEST = 4.0
"""How many batch times everybody rests after a batch, with a signal at its limit."""
MINUTE_S = 60
STEP = 1024


class Unit(StrEnum):
    """What a signal is counted in."""

    SECONDS = "seconds"
    BYTES = "bytes"
    BYTES_PER_S = "bytes/s"
    SHARE = "share"
    COUNT = "count"
    ANSWER = "answer"


class Signal(StrEnum):
    """What is watched while rows are filled; the names of settings and of the ledger's rows."""

    REPLICA_LAG = "replica_lag"
    REPLICA_LAG_BYTES = "replica_lag_bytes"
    SLOT_BACKLOG_BYTES = "slot_backlog_bytes"
    SLOTS_AT_RISK = "slots_at_risk"
    ARCHIVE_BACKLOG = "archive_backlog"
    ARCHIVE_FAILING = "archive_failing"
    WAL_BYTES_PER_S = "wal_bytes_per_s"
    OLDEST_SNAPSHOT = "oldest_snapshot"
    DEAD_SHARE = "dead_share"
    VACUUMS = "vacuums"
    WAITING_SESSIONS = "waiting_sessions"
    ACTIVE_BACKENDS = "active_backends"
    QUERY = "query"
    COMMAND = "command"
    URL = "url"


MEANS: Mapping[Signal, tuple[str, Unit]] = MappingProxyType(
    {
        Signal.REPLICA_LAG: ("replica lag", Unit.SECONDS),
        Signal.REPLICA_LAG_BYTES: ("replica lag", Unit.BYTES),
        Signal.SLOT_BACKLOG_BYTES: ("backlog of a replication slot", Unit.BYTES),
        Signal.SLOTS_AT_RISK: ("replication slots about to lose their WAL", Unit.COUNT),
        Signal.ARCHIVE_BACKLOG: ("WAL files waiting to be archived", Unit.COUNT),
        Signal.ARCHIVE_FAILING: ("WAL archiving has been failing for", Unit.SECONDS),
        Signal.WAL_BYTES_PER_S: ("WAL rate", Unit.BYTES_PER_S),
        Signal.OLDEST_SNAPSHOT: ("oldest snapshot", Unit.SECONDS),
        Signal.DEAD_SHARE: ("dead rows of the table", Unit.SHARE),
        Signal.VACUUMS: ("vacuums at work on the table", Unit.COUNT),
        Signal.WAITING_SESSIONS: ("sessions waiting on the backfill", Unit.COUNT),
        Signal.ACTIVE_BACKENDS: ("active sessions", Unit.COUNT),
        Signal.QUERY: ("result of backfill.throttle.query", Unit.COUNT),
        Signal.COMMAND: ("backfill.throttle.command", Unit.ANSWER),
        Signal.URL: ("backfill.throttle.url", Unit.ANSWER),
    }
)
"""What each signal is called, and what it is counted in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What one signal says now.

    Attributes:
        signal: Which.
        value: Measured, in the signal's unit; of several replicas, slots or relations the worst.
        limit: Above it the backfill stops.
        detail: Who or what it is; empty where there is nothing to add.
    """

    signal: Signal
    value: float
    limit: float
    detail: str = ""

    @property
    def title(self) -> str:
        """What the signal is called."""
        return MEANS[self.signal][0]

    @property
    def unit(self) -> Unit:
        """What value and limit are counted in."""
        return MEANS[self.signal][1]

    @property
    def breached(self) -> bool:
        """Whether the backfill is to stop."""
        return self.value > self.limit

    def __str__(self) -> str:
        if self.unit is Unit.ANSWER:
            return f"{self.title}: {self.detail}"
        said = f"{self.title} {quantity(self.value, self.unit)}, limit {quantity(self.limit, self.unit)}"
        return f"{said} ({self.detail})" if self.detail else said


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A signal that could not be read.

    Attributes:
        signal: Which.
        why: In words.
        grant: The statement that would allow it; empty where no privilege is missing.
    """

    signal: Signal
    why: str
    grant: str = ""

    def __str__(self) -> str:
        title = MEANS[self.signal][0]
        said = f"{title}: unknown, {self.why}; the backfill does not heed it"
        return f"{said}. To let it: {self.grant}" if self.grant else said


def slowdown(readings: Iterable[Reading]) -> float:
    """How many batch times to rest after each batch: 0 below 80 % of every limit, 4 at the nearest one.

    A limit of zero has no way towards it, and a breach stops altogether; both slow nothing down.
    """
    shares = [reading.value / reading.limit for reading in readings if reading.limit > 0 and not reading.breached]
    nearest = max(shares, default=0.0)
    return SLOWEST * max(0.0, nearest - SLOWS_FROM) / (1 - SLOWS_FROM)


def quantity(value: float, unit: Unit) -> str:
    """``7.2 s``, ``1h30m``, ``1.5 GB`` (of 1024 each, as PostgreSQL counts), ``31 %`` or ``3``."""
    match unit:
        case Unit.SECONDS:
            return _seconds(value)
        case Unit.BYTES:
            return _bytes(value)
        case Unit.BYTES_PER_S:
            return f"{_bytes(value)}/s"
        case Unit.SHARE:
            return f"{value * 100:.3g} %"
        case _:
            return f"{value:,.10g}"


def _seconds(value: float) -> str:
    return in_words(timedelta(seconds=value)) if value >= MINUTE_S else f"{round(value, 1):g} s"


def _bytes(value: float) -> str:
    for name in ("bytes", "kB", "MB", "GB"):
        if value < STEP:
            return f"{value:.3g} {name}" if name != "bytes" else f"{value:.0f} bytes"
        value /= STEP
    return f"{value:,.1f} TB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Where the WAL of the primary was written to.

    Attributes:
        at_s: When, in seconds on a clock that only runs forward.
        position: Bytes since the beginning of WAL.
    """

    at_s: float
    position: int


def behind_s(samples: Sequence[Sample], replayed: int) -> float:
    """How long ago the primary was where a replica has replayed to.

    The server's own figure is no good for that: where replay is paused it is missing, or stays what it was.

    Args:
        samples: Oldest first; between two of them the way is taken as even.
        replayed: The replica's position.

    Returns:
        Seconds before the last sample; 0 where the replica has everything, or there is no sample. A position from
        before the first sample is at least as old as that one, and counts as that old.
    """
    if not samples or samples[-1].position <= replayed:
        return 0.0
    beyond = bisect_right(samples, replayed, key=lambda sample: sample.position)
    now_s = samples[-1].at_s
    if beyond == 0:
        return now_s - samples[0].at_s
    before, after = samples[beyond - 1], samples[beyond]
    share = (replayed - before.position) / (after.position - before.position)
    return now_s - (before.at_s + share * (after.at_s - before.at_s))
