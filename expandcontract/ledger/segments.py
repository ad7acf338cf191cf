"""The backfill's positions. A psycopg connection is used, for they are written with every batch.

A worker claims a segment for as long as its lease; every batch holds the segment's row, is refused where the claim is
no longer the worker's, and renews the lease. So a worker that was stopped for long can write nothing when it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.core.pace import Pass, Position, cut
from expandcontract.errors import FencedError
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    import psycopg

QUERIES = load("expandcontract.ledger", "segments.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A range of heap pages of one relation that a worker has claimed.

    Attributes:
        relation: Object identifier of the table or partition.
        first_page: Where it begins; with the relation it names the segment.
        claim: Counts the claims; a batch under an earlier one is refused.
        at: How far it was done when it was claimed.
    """

    relation: int
    first_page: int
    claim: int
    at: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """How far all segments of some relations are.

    Attributes:
        pages: In all.
        done: Pages done; the passes over a window count as parts of it.
        rows: Filled so far.
        open: Segments that are not done.
    """

    pages: int
    done: float
    rows: int
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What somebody asked of a running backfill.

    Attributes:
        paused: By whom it was told to wait, and why; ``None`` where it was not.
        workers: How many of this process's workers may work; ``None`` where nobody said.
        target: How long a batch should take; ``None`` where nobody said.
    """

    paused: str | None = None
    workers: int | None = None
    target: timedelta | None = None


class Segments:
    """The segments of one change; the caller owns the transaction."""

    def __init__(self, connection: psycopg.Connection, change: str) -> None:
        self._connection = connection
        self._change = change

    @property
    def connection(self) -> psycopg.Connection:
        """The connection that they are asked on."""
        return self._connection

    def _run(self, query: str, **values: object) -> psycopg.Cursor:
        return self._connection.execute(QUERIES[query], {"change": self._change, **values})

    def begin(self) -> None:
        """Remember when the backfill began, with its segments; later calls change nothing."""
        self._run("begin")

    def cover(self, relation: int, filenode: int, pages: int, *, size: int) -> None:
        """Cut a relation into segments; one that was rewritten since is begun anew, one that grew gets more of them."""
        self._run("forget_moved", relation=relation, filenode=filenode)
        row = self._run("covered", relation=relation).fetchone()
        segments = list(cut(int(row[0]) if row else 0, pages, size))
        firsts, ends = [first for first, _ in segments], [end for _, end in segments]
        self._run("cover", relation=relation, filenode=filenode, firsts=firsts, ends=ends)

    def claim(self, relations: Sequence[int], worker: str, lease: timedelta) -> Segment | None:
        """The first segment that nobody works on, now this worker's; ``None`` where there is none."""
        row = self._run("claim", relations=list(relations), worker=worker, lease=lease).fetchone()
        if row is None:
            return None
        relation, first, end, page, stripe, window_end, stripes, pass_page, claim = row
        passing = None
        if window_end is not None:
            passing = Pass(end_page=window_end, stripes=stripes, stripe=stripe, page=pass_page)
        at = Position(page=page, end_page=end, passing=passing)
        return Segment(relation=relation, first_page=first, claim=claim, at=at)

    def enter(self, ceiling: timedelta) -> None:
        """Begin a batch's transaction: marked for the triggers, short in every wait.

        A statement is broken off after ``ceiling``. A lock is waited for less long than ``deadlock_timeout``, so that
        the batch loses a deadlock and never the application; a row hidden by a policy is an error, not a gap.
        """
        self._run("enter", statement_timeout=f"{max(1, int(ceiling.total_seconds() * 1000))}ms")

    def hold(self, segment: Segment, worker: str) -> bool:
        """Lock the segment's row for this transaction; says whether it still is this worker's."""
        held = self._run(
            "hold", relation=segment.relation, first_page=segment.first_page, claim=segment.claim, worker=worker
        )
        return held.fetchone() is not None

    def advance(self, segment: Segment, to: Position, rows: int, lease: timedelta) -> None:
        """Move the cursor and renew the lease, in the batch's own transaction, after :meth:`hold`."""
        passing = to.passing
        self._run(
            "advance",
            relation=segment.relation,
            first_page=segment.first_page,
            claim=segment.claim,
            page=to.page,
            stripe=0 if passing is None else passing.stripe,
            window_end=None if passing is None else passing.end_page,
            stripes=None if passing is None else passing.stripes,
            pass_page=None if passing is None else passing.page,
            rows=rows,
            lease=lease,
        )

    def renew(self, segment: Segment, worker: str, lease: timedelta) -> bool:
        """Keep a claim between two batches, without holding its row; says whether it still is the worker's.

        A single statement outside a transaction.
        """
        kept = self._run(
            "renew",
            relation=segment.relation,
            first_page=segment.first_page,
            claim=segment.claim,
            worker=worker,
            lease=lease,
        )
        return kept.rowcount > 0

    def done(self, segment: Segment) -> None:
        """Mark a segment as done, where it still is the claim's."""
        self._run("done", relation=segment.relation, first_page=segment.first_page, claim=segment.claim)

    def release(self, segment: Segment) -> None:
        """Let somebody else go on with it."""
        self._run("release", relation=segment.relation, first_page=segment.first_page, claim=segment.claim)

    def fence(self, epoch: int) -> None:
        """Hold the epoch for this transaction.

        Raises:
            FencedError: Another mover has begun since.
        """
        if self._run("fence", epoch=epoch).fetchone() is None:
            msg = "another mover has begun since this one took the lock; nothing more is written"
            raise FencedError(msg, hint="ec status")

    def totals(self, relations: Sequence[int]) -> Totals:
        """How far the segments of these relations are."""
        row = self._run("totals", relations=list(relations)).fetchone()
        assert row is not None  # noqa: S101  # an aggregate always has a row
        return Totals(pages=int(row[0]), rows=int(row[1]), open=int(row[2]), done=float(row[3]))

    def begun(self) -> bool:
        """Whether the backfill has begun, which its segments do with it."""
        return self._run("control").fetchone() is not None

    def control(self) -> Control:
        """What was asked of the backfill so far."""
        row = self._run("control").fetchone()
        if row is None:
            return Control()
        return Control(paused=row[1] if row[0] else None, workers=row[2], target=row[3])

    def workers(self) -> dict[str, int]:
        """Who works now, by name, with how many segments."""
        return {str(name): int(number) for name, number in self._run("workers")}
