"""The backfill's positions. A psycopg connection is used, for they are written with every batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.errors import BusyError, FencedError
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    import psycopg

QUERIES = load("expandcontract.ledger", "segments.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A range of heap pages of one relation, and how far it is done."""

    relation: int
    filenode: int
    first_page: int
    end_page: int
    cursor_page: int
    cursor_stripe: int
    rows_filled: int


class Segments:
    """The segments of one change; the caller owns the transaction."""

    def __init__(self, connection: psycopg.Connection, change: str) -> None:
        self._connection = connection
        self._change = change

    def _run(self, query: str, **values: object) -> psycopg.Cursor:
        return self._connection.execute(QUERIES[query], {"change": self._change, **values})

    def plan(self, relation: int, filenode: int, pages: int) -> None:
        """Cover a relation; one that was rewritten since is begun anew, one that grew is extended."""
        self._run("forget_moved", relation=relation, filenode=filenode)
        self._run("add", relation=relation, filenode=filenode, end_page=pages)
        self._run("extend", relation=relation, end_page=pages)

    def open(self) -> list[Segment]:
        """The segments that are not done."""
        names = ("relation", "filenode", "first_page", "end_page", "cursor_page", "cursor_stripe", "rows_filled")
        return [Segment(**dict(zip(names, row, strict=True))) for row in self._run("open")]

    def totals(self) -> tuple[int, int, int]:
        """Pages in all, pages done, rows filled."""
        row = self._run("totals").fetchone()
        assert row is not None  # noqa: S101  # an aggregate always has a row
        return int(row[0]), int(row[1]), int(row[2])

    def advance(self, segment: Segment, was: tuple[int, int], to: tuple[int, int], rows: int) -> None:
        """Move the cursor, in the batch's own transaction.

        Raises:
            BusyError: Somebody else moved it.
        """
        moved = self._run(
            "advance",
            relation=segment.relation,
            first_page=segment.first_page,
            was_page=was[0],
            was_stripe=was[1],
            page=to[0],
            stripe=to[1],
            rows=rows,
        )
        if moved.rowcount != 1:
            msg = f"the backfill of {self._change} is done by somebody else too"
            raise BusyError(msg, hint=f"ec status {self._change}")

    def done(self, segment: Segment) -> None:
        """Mark a segment as done."""
        self._run("done", relation=segment.relation, first_page=segment.first_page)

    def fence(self, epoch: int) -> None:
        """Hold the epoch for this transaction.

        Raises:
            FencedError: Another mover has begun since.
        """
        if self._run("fence", epoch=epoch).fetchone() is None:
            msg = "another mover has begun since this one took the lock; nothing more is written"
            raise FencedError(msg, hint="ec status")
