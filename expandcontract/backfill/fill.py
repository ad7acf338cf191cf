"""The loop: position → next batch → UPDATE and cursor in one commit. A kill repeats nothing and loses nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from expandcontract.backfill.batch import batch
from expandcontract.backfill.statement import fill as fill_statement
from expandcontract.core.pace import Batch, Pace, Position, after, eta, next_batch, share
from expandcontract.errors import BackfillError
from expandcontract.ledger.segments import Segment, Segments
from expandcontract.pg.catalog import Leaf, leaves
from expandcontract.pg.connect import connect, hot
from expandcontract.pg.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from psycopg import sql
    from sqlalchemy import URL

    from expandcontract.core.shape import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a backfill is.

    Attributes:
        change: The change.
        pages_done: Heap pages done; a window's stripes count as parts of it.
        pages_total: Heap pages in all.
        rows_filled: Rows filled so far, earlier runs included.
        rows_per_s: Rows a second in this run.
        eta: How long the rest takes; ``None`` before that can be told.
    """

    change: str
    pages_done: float
    pages_total: int
    rows_filled: int
    rows_per_s: float
    eta: timedelta | None


def fill(url: URL, change: str, work: Work, pace: Pace, *, epoch: int) -> Iterator[Progress]:
    """Fill every row that has no new shape yet; goes on where an earlier run stopped.

    Takes ROW EXCLUSIVE on the table and locks the rows of one batch at a time. May run any number of times.

    Args:
        url: The target database.
        change: The change.
        work: Its mapping or fill.
        pace: How much at a time.
        epoch: Of the mover; each batch is fenced by it.

    Yields:
        Progress after each batch.

    Raises:
        BackfillError: A statement failed; the cursor stands at the last committed batch.
        FencedError: Another mover has begun since.
    """
    with connect(url, command=f"backfill {change}") as connection:
        found = {leaf.oid: leaf for leaf in leaves(connection, work.table)}
    odd = [leaf for leaf in found.values() if not leaf.is_heap]
    if odd:
        msg = f"{odd[0].schema}.{odd[0].name} is no heap table; page batches cannot fill it"
        raise BackfillError(msg, hint="move it to the heap access method")
    with hot(url, command=f"backfill {change}") as connection:
        yield from _Loop(connection, change, work, pace, epoch, found).run()


class _Loop:
    def __init__(
        self,
        connection: psycopg.Connection,
        change: str,
        work: Work,
        pace: Pace,
        epoch: int,
        found: dict[int, Leaf],
    ) -> None:
        self._connection = connection
        self._change = change
        self._work = work
        self._pace = pace
        self._epoch = epoch
        self._leaves = found
        self._segments = Segments(connection, change)
        self._began = monotonic()
        self._first_share: float | None = None
        self._rows_before = 0

    def run(self) -> Iterator[Progress]:
        def plan() -> None:
            self._segments.fence(self._epoch)
            for leaf in self._leaves.values():
                self._segments.plan(leaf.oid, leaf.filenode, leaf.pages)

        batch(self._connection, plan, where="its start")
        self._rows_before = self._segments.totals()[2]
        for segment in self._segments.open():
            yield from self._segment(segment)

    def _segment(self, segment: Segment) -> Iterator[Progress]:
        leaf = self._leaves[segment.relation]
        statement = fill_statement(self._work, identifier(leaf.schema, leaf.name))
        at = Position(page=segment.cursor_page, stripe=segment.cursor_stripe, end_page=segment.end_page)
        while (todo := next_batch(at, self._pace)) is not None:
            to = after(at, todo, self._pace)
            self._one(segment, statement, at, todo, to)
            at = to
            yield self._progress(segment, at)
        batch(self._connection, lambda: self._segments.done(segment), where=f"the end of {leaf.name}")

    def _one(self, segment: Segment, statement: sql.Composed, at: Position, todo: Batch, to: Position) -> None:
        def work() -> None:
            self._segments.fence(self._epoch)
            filled = self._connection.execute(
                statement,
                {"first": todo.first_page, "end": todo.end_page, "stripe": todo.stripe, "stripes": self._pace.stripes},
            )
            self._segments.advance(segment, (at.page, at.stripe), (to.page, to.stripe), filled.rowcount)

        batch(self._connection, work, where=f"page {todo.first_page}, stripe {todo.stripe}")

    def _progress(self, segment: Segment, at: Position) -> Progress:
        total, done, rows = self._segments.totals()
        now = done - (at.page - segment.first_page) + share(at, self._pace) - segment.first_page
        elapsed = monotonic() - self._began
        if self._first_share is None:
            self._first_share = now
        here = now - self._first_share
        return Progress(
            change=self._change,
            pages_done=now,
            pages_total=total,
            rows_filled=rows,
            rows_per_s=(rows - self._rows_before) / elapsed if elapsed else 0.0,
            eta=eta(here, total - self._first_share, timedelta(seconds=elapsed)),
        )
