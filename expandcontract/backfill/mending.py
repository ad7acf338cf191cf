"""Repairs pages that a comparison found to differ, however their rows are filled. Only under the mover's epoch."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg

from expandcontract.backfill import joining
from expandcontract.backfill.batch import LONGEST, batch, stopped
from expandcontract.backfill.computing import Around, Computing
from expandcontract.backfill.statement import RANGE
from expandcontract.functions.process import Caller
from expandcontract.ledger.segments import Segments
from expandcontract.pg.computed import Form

if TYPE_CHECKING:
    from datetime import timedelta

    from psycopg import sql

    from expandcontract.core.shape import Work

STEP = 5000
"""The most pages that are compared at a time."""
PART = 50
"""Pages at a time, where the rows go through a function."""


class Mending:
    """Repairs ranges of pages.

    Args:
        work: What is repaired.
        epoch: Of the mover; each batch is fenced by it.
        function_limit: After how long a Python function is broken off.
    """

    def __init__(self, work: Work, epoch: int, function_limit: timedelta) -> None:
        self._work = work
        self._epoch = epoch
        self._limit = function_limit

    def run(self, connection: psycopg.Connection, change: str, how: Form | sql.Composed, first: int, end: int) -> int:
        """Repair the rows of pages ``first`` to before ``end``; how many were. May run any number of times.

        Args:
            connection: In autocommit mode.
            change: The change.
            how: The one statement that does it, or what takes more than that.
            first: Page.
            end: Page.

        Raises:
            BackfillError: A statement failed.
            FunctionError: A function gave nothing that can be written.
        """
        segments = Segments(connection, change)
        try:
            if isinstance(how, Form) and how.work.function is not None:
                return self._computed(connection, segments, how, first, end)
            return batch(connection, segments, lambda: self._once(connection, segments, how, first, end))
        except psycopg.Error as exc:
            raise stopped(exc, f"the repair of page {first}") from exc

    def _once(
        self, connection: psycopg.Connection, segments: Segments, how: Form | sql.Composed, first: int, end: int
    ) -> int:
        segments.fence(self._epoch)
        numbers = {"first": first, "end": end}
        if isinstance(how, Form):
            return joining.fill(connection, how, RANGE, numbers)
        return connection.execute(how, numbers).rowcount

    def _computed(self, connection: psycopg.Connection, segments: Segments, form: Form, first: int, end: int) -> int:
        work = form.work
        around = Around(
            enter=lambda: segments.fence(self._epoch), settle=lambda _rows, _over: None, meanwhile=lambda: None
        )
        with closing(Caller(work.function or "", work.writes, self._limit)) as caller:
            computing = Computing(form, caller, connection, segments, ceiling=LONGEST)
            starts = range(first, min(first + STEP, end), PART)
            ends = [*starts[1:], end]
            return sum(
                computing.fill(RANGE, {"first": begin, "end": until}, around)
                for begin, until in zip(starts, ends, strict=True)
            )
