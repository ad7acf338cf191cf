"""How fast a backfill is, how much of it is HOT and what becomes of the heap; looked at once a second, and kept."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

import psycopg

from expandcontract.core.pace import eta
from expandcontract.ledger.progress import Measured, Sample, heap_at_first, keep, measure

if TYPE_CHECKING:
    from expandcontract.backfill.job import Job
    from expandcontract.ledger.segments import Segments, Totals

EVERY_S = 1.0
OF_LATE_S = 20.0
"""A rate is of so many seconds: neither of one batch, nor of a pause an hour ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What is known at a moment.

    Attributes:
        rate: Rows a second of late, by all processes.
        eta: How long the rest takes; ``None`` while that cannot be told.
        hot_share: Which share of all updates of the table since this run began was HOT; ``None`` before there were any.
        heap_bytes: Size of the heap.
        heap_growth: How many times what it was when the backfill began.
    """

    rate: float = 0.0
    eta: timedelta | None = None
    hot_share: float | None = None
    heap_bytes: int = 0
    heap_growth: float = 1.0


class Meter:
    """Reads the figures of one table's backfill, on the connection of its segments.

    Args:
        segments: Of the change.
        todo: The table.
    """

    def __init__(self, segments: Segments, todo: Job) -> None:
        self._connection = segments.connection
        self._todo = todo
        self._relation = f"{todo.work.table.schema}.{todo.work.table.name}"
        self._began = self._seen = measure(self._connection, todo.relations)
        kept = heap_at_first(self._connection, todo.change, self._relation)
        self._heap_at_first = self._began.heap_bytes if kept is None else kept
        self._of_late: deque[tuple[float, Totals]] = deque()
        self._looked_s = 0.0

    def look(self, totals: Totals, waiting: tuple[str, ...]) -> Figures:
        """The figures now; what the server counts is asked once a second, and then a sample is kept.

        Args:
            totals: How far the segments are.
            waiting: Why nobody fills.
        """
        now_s = monotonic()
        self._of_late.append((now_s, totals))
        while now_s - self._of_late[0][0] > OF_LATE_S:
            self._of_late.popleft()
        last = not totals.open
        due = last or not self._looked_s or now_s - self._looked_s >= EVERY_S
        if due:
            self._looked_s = now_s
            self._seen = self._measured()
        found = self._figures(totals)
        if due:
            self._keep(totals, found, waiting, last=last)
        return found

    def _measured(self) -> Measured:
        try:
            return measure(self._connection, self._todo.relations)
        except psycopg.OperationalError:
            # somebody holds the table for a moment; the figures of a second ago will do
            if self._connection.broken:
                raise
            return self._seen

    def _figures(self, totals: Totals) -> Figures:
        then_s, then = self._of_late[0]
        passed = timedelta(seconds=self._of_late[-1][0] - then_s)
        updated, hot = self._seen.updated - self._began.updated, self._seen.hot - self._began.hot
        return Figures(
            rate=max(0.0, (totals.rows - then.rows) / passed.total_seconds()) if passed else 0.0,
            eta=eta(totals.done - then.done, totals.pages - then.done, passed),
            hot_share=min(1.0, max(0.0, hot / updated)) if updated > 0 else None,
            heap_bytes=self._seen.heap_bytes,
            heap_growth=self._seen.heap_bytes / self._heap_at_first if self._heap_at_first else 1.0,
        )

    def _keep(self, totals: Totals, found: Figures, waiting: tuple[str, ...], *, last: bool) -> None:
        sample = Sample(
            relation=self._relation,
            done=totals.done,
            total=totals.pages,
            rows=totals.rows,
            rate=found.rate,
            eta=found.eta,
            hot_share=found.hot_share,
            heap_bytes=found.heap_bytes,
            waiting=waiting,
        )
        try:
            keep(self._connection, self._todo.change, sample, last=last)
        except psycopg.OperationalError:
            # on a full disk nothing can be kept; a lost sample stops no backfill
            if self._connection.broken:
                raise
