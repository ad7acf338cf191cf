"""How one worker fills a batch of a segment: rows and cursor are one commit, under the claim and the mover's epoch."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from expandcontract.backfill.batch import BrokenOffError, LostClaimError, batch
from expandcontract.backfill.computing import Around, Computing
from expandcontract.backfill.statement import PAGES
from expandcontract.core.pace import after, pieces

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    import psycopg

    from expandcontract.backfill.board import Board
    from expandcontract.backfill.job import Job
    from expandcontract.core.pace import Batch, Position
    from expandcontract.functions.process import Caller
    from expandcontract.ledger.segments import Segment, Segments

CONTROL = "control"
"""The reason on the board that somebody gave by hand; it breaks a function off, as the others do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """What a batch came to.

    Attributes:
        rows: How many were filled.
        work: Seconds in which they were; ``None`` where a function did it, and all of it counts.
        trip: Seconds of one way to the server and back.
    """

    rows: int
    work: float | None = None
    trip: float = 0.0


class Filling:
    """Fills batches over one connection.

    Args:
        job: What is to do.
        board: Says when nobody waits for a batch any more.
        connection: In autocommit mode.
        name: The worker's.
        epoch: Of the mover; each batch is fenced by it.
        caller: Of the function that fills, where one does; outlives the connection.
    """

    def __init__(
        self,
        job: Job,
        board: Board,
        connection: psycopg.Connection,
        segments: Segments,
        *,
        name: str,
        epoch: int,
        caller: Caller | None,
    ) -> None:
        self._job = job
        self._board = board
        self._connection = connection
        self._segments = segments
        self._name = name
        self._epoch = epoch
        self._caller = caller

    def one(
        self, segment: Segment, todo: Batch, at: Position, ceiling: timedelta, *, piece_pages: int | None = None
    ) -> Filled:
        """Fill one batch and move the cursor.

        Args:
            segment: Claimed by this worker.
            todo: The batch that comes at ``at``.
            at: Where the segment stands.
            ceiling: How long one statement may run.
            piece_pages: Pages of one statement; ``None``: all of the batch's.

        Raises:
            LostClaimError: The segment is somebody else's by now.
            BrokenOffError: Nobody waits for the batch any more.
            BackfillError: A row is joined to several.
            FunctionError: The function gave nothing that can be written.
            psycopg.Error: A statement failed.
        """
        if self._caller is not None:
            form = self._job.forms[segment.relation]
            computing = Computing(form, self._caller, self._connection, self._segments, ceiling=ceiling)
            return Filled(rows=computing.fill(PAGES, _numbers(todo), self._around(segment, todo, at)))

        def work() -> Filled:
            trip = self._enter(segment)
            began, rows, parts = monotonic(), 0, 0
            for part in pieces(todo, piece_pages):
                rows += self._job.write(self._connection, segment.relation, _numbers(part))
                parts += 1
            seconds = monotonic() - began
            self._segments.advance(segment, after(at, todo), rows, self._job.how.lease)
            return Filled(rows=rows, work=max(seconds - parts * trip, 0.0), trip=trip)

        return batch(self._connection, self._segments, work, ceiling=ceiling)

    def _enter(self, segment: Segment) -> float:
        """Make sure that the batch may be filled; how long one way to the server and back takes, in seconds."""
        self._segments.fence(self._epoch)
        began = monotonic()
        if not self._segments.hold(segment, self._name):
            raise LostClaimError
        return monotonic() - began

    def _around(self, segment: Segment, todo: Batch, at: Position) -> Around:
        def settle(rows: int, over: bool) -> None:  # noqa: FBT001  # called by position
            self._segments.advance(segment, after(at, todo) if over else at, rows, self._job.how.lease)

        def enter() -> None:
            self._enter(segment)

        return Around(enter=enter, settle=settle, meanwhile=self._meanwhile(segment))

    def _meanwhile(self, segment: Segment) -> Callable[[], None]:
        """Keep the claim, and notice when the batch is not wanted any more."""
        lease = self._job.how.lease
        kept = monotonic()

        def meanwhile() -> None:
            nonlocal kept
            if self._board.stopped or CONTROL in self._board.sources:
                raise BrokenOffError
            if monotonic() - kept > lease.total_seconds() / 3:
                if not self._segments.renew(segment, self._name, lease):
                    raise LostClaimError
                kept = monotonic()

        return meanwhile


def _numbers(todo: Batch) -> dict[str, int]:
    return {"first": todo.first_page, "end": todo.end_page, "stripe": todo.stripe, "stripes": todo.stripes}
