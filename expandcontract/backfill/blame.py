"""Which row a batch failed on. The batch is tried in halves, each rolled back, until one row is left that fails.

It is the batch's own statement that is tried, with another range of row addresses in the place of its range of pages.
Such a range is what the scan itself goes by, so that no expression meets a row outside of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from expandcontract.backfill import slices
from expandcontract.backfill.batch import LONGEST, stopped
from expandcontract.backfill.statement import RANGE, named
from expandcontract.core.fill import Fill
from expandcontract.core.mapping import Mapping
from expandcontract.core.transfer import Stranded
from expandcontract.errors import BackfillError
from expandcontract.ledger.segments import Segments
from expandcontract.pg.queries import load
from expandcontract.pg.quoting import identifier
from expandcontract.pg.retry import sqlstate

if TYPE_CHECKING:
    from expandcontract.backfill.job import Job
    from expandcontract.core.pace import Batch
    from expandcontract.core.shape import Work

QUERIES = load("expandcontract.backfill", "blame.sql")
ALIAS = identifier("expandcontract_row")
NO_ROWS_FAULT = frozenset({"08", "0A", "25", "26", "28", "40", "42", "53", "55", "57", "58", "XX"})
"""Classes of errors that are the server's, the statement's or somebody else's."""
BETWEEN = sql.SQL("ctid >= %(from)s::tid AND ctid < %(to)s::tid")
BY_RANGE = "SET LOCAL enable_seqscan = off; SET LOCAL enable_tidscan = on; SET CONSTRAINTS ALL IMMEDIATE"


def blamed(connection: psycopg.Connection, todo: Job, relation: int, at: Batch, exc: psycopg.Error) -> BackfillError:
    """The error of a backfill that cannot go on, with the row that it cannot get past where one is at fault.

    Locks the rows of the batch for as long as it takes, which is about as long as the batch; writes nothing.

    Args:
        connection: In autocommit mode, in no transaction.
        todo: What the batch belongs to.
        relation: The table or partition.
        at: The batch.
        exc: How it failed.
    """
    pages = f"pages {at.first_page} to {at.end_page}"
    if relation in todo.sliced:
        keys = slices.said(connection, todo.change, relation, at.first_page, at.end_page)
        return stopped(exc, f"{todo.leaves[relation].name}, {keys}")
    if (sqlstate(exc) or "XX")[:2] in NO_ROWS_FAULT or relation in todo.forms:
        return stopped(exc, pages)
    try:
        found = _Trial(connection, todo, relation).narrowed(at, exc)
        if found is None:
            return stopped(exc, f"{pages}, where no row fails by itself")
        row, exc = found
        columns = _columns(connection, relation, todo.work)
    except psycopg.Error:
        return stopped(exc, pages)  # what is known beats how the search for more has failed
    name = f"{todo.leaves[relation].name} {row}"
    msg = f"the backfill stopped at {name}: {str(exc).splitlines()[0]}; {columns}; nothing of its batch is written"
    return BackfillError(
        msg,
        hint="mend the row or the declaration, then run the same command again; it goes on from there",
        document={"row": name, "sqlstate": exc.sqlstate, "pages": [at.first_page, at.end_page]},
    )


class _Trial:
    """A batch's statement, tried on parts of the batch."""

    def __init__(self, connection: psycopg.Connection, todo: Job, relation: int) -> None:
        self._connection = connection
        self._segments = Segments(connection, todo.change)
        self._query = _between(todo.statement(relation))
        leaf = todo.leaves[relation]
        key = [row[0] for row in connection.execute(QUERIES["key"], {"relation": relation})]
        # the second half of an address, as a number
        self._names = sql.SQL(
            "SELECT (ctid::text::point)[1]::int, {} FROM ONLY {} AS {} WHERE {} ORDER BY ctid"
        ).format(named(ALIAS, key), identifier(leaf.schema, leaf.name), ALIAS, BETWEEN)

    def narrowed(self, at: Batch, exc: psycopg.Error) -> tuple[str, psycopg.Error] | None:
        """The first row that fails by itself, and how; ``None`` where only several together do."""
        with self._connection.transaction(force_rollback=True):
            self._segments.enter(LONGEST)
            self._connection.execute(BY_RANGE)
            pages = list(range(at.first_page, at.end_page + 1))
            found = self._halved(at, [(page, 0) for page in pages], exc)
            if found is None:
                return None
            page, exc = found[0][0], found[1]
            given = {"from": f"({page},0)", "to": f"({page + 1},0)"}
            names: dict[int, str] = dict(self._connection.execute(self._names, given).fetchall())
            if not names:
                return None
            row = self._halved(at, [*((page, number) for number in names), (page + 1, 0)], exc)
        return None if row is None else (names[row[0][1]], row[1])

    def _halved(
        self, at: Batch, bounds: list[tuple[int, int]], exc: psycopg.Error
    ) -> tuple[tuple[int, int], psycopg.Error] | None:
        """Between which of the bounds and the next it fails, and how."""
        while len(bounds) > 2:  # noqa: PLR2004  # a part has two ends
            middle = len(bounds) // 2
            for half in (bounds[: middle + 1], bounds[middle:]):
                failed = self._tried(at, half[0], half[-1])
                if failed is not None:
                    bounds, exc = half, failed
                    break
            else:
                return None
        return bounds[0], exc

    def _tried(self, at: Batch, first: tuple[int, int], end: tuple[int, int]) -> psycopg.Error | None:
        values = {"from": "({},{})".format(*first), "to": "({},{})".format(*end)}
        try:
            with self._connection.transaction(force_rollback=True):
                self._connection.execute(self._query, {**values, "stripe": at.stripe, "stripes": at.stripes})
        except psycopg.Error as exc:
            if (sqlstate(exc) or "XX")[:2] in NO_ROWS_FAULT:
                raise
            return exc
        return None


def _between(query: sql.Composable) -> sql.Composed:
    """The same statement over a range of row addresses."""
    if query == RANGE:
        return sql.Composed([BETWEEN])
    return (
        sql.Composed([_between(part) for part in query]) if isinstance(query, sql.Composed) else sql.Composed([query])
    )


def _columns(connection: psycopg.Connection, relation: int, work: Work) -> str:
    """What is made of what, by type: ``it makes visits bigint of visits_text text``."""
    if isinstance(work, Stranded):
        return f"it inserts the missing row of {work.transfer.table}"
    written = list(work.values) if isinstance(work, Fill) else list(work.new)
    read = list(work.old) if isinstance(work, Mapping) else []
    given = {"relation": relation, "columns": [*written, *read]}
    types: dict[str, str] = dict(connection.execute(QUERIES["types"], given).fetchall())
    made, of = (", ".join(f"{name} {types[name]}" for name in names if name in types) for names in (written, read))
    return f"it makes {made} of {of}" if of else f"it makes {made}"
