"""The statements of a fill that reads other tables: the target's rows are locked first, then computed from.

Two statements of one READ COMMITTED transaction. The second one's snapshot is taken once the rows are ours, so nothing
of them is old; it locks the other tables' rows for share, and takes their values as they are then. One statement for
both would compute from the snapshot it began with, and overwrite what was committed while it waited.
https://www.postgresql.org/docs/current/transaction-iso.html#XACT-READ-COMMITTED
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.errors import BackfillError
from expandcontract.pg.computed import lacking, within
from expandcontract.pg.quoting import escaped, identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from expandcontract.core.fill import Fill
    from expandcontract.pg.computed import Form

SHOWN = 5
FOUND = "expandcontract_found"
SEVERAL = "expandcontract_several"
WRITTEN = "expandcontract_written"


def lock(work: Fill, relation: sql.Identifier, pages: sql.Composable) -> sql.Composed:
    """Lock the unfilled rows of ``pages`` and give their places, as they are now. Takes ROW SHARE."""
    alias = identifier(work.table.name)
    return sql.SQL("SELECT {}::text FROM ONLY {} AS {} WHERE {} AND {} FOR NO KEY UPDATE").format(
        identifier(work.table.name, "ctid"), relation, alias, pages, lacking(work)
    )


def fill(
    work: Fill, relation: sql.Identifier, locked: sql.Composable, bounds: tuple[sql.Composable, sql.Composable]
) -> sql.Composed:
    """Fill the rows that :func:`lock` gave; says how many were, and which of them have several rows to be filled from.

    Takes ROW EXCLUSIVE on the target and ROW SHARE on the joined tables; waits for a writer of one of their rows. Where
    it names a row, nothing was filled.
    """
    alias = identifier(work.table.name)
    values = sql.SQL(", ").join(
        sql.SQL("({}) AS {}").format(sql.SQL(escaped(value)), identifier(f"v{number}"))
        for number, value in enumerate(work.values.values())
    )
    sets = sql.SQL(", ").join(
        sql.SQL("{} = {}").format(identifier(name), identifier(FOUND, f"v{number}"))
        for number, name in enumerate(work.values)
    )
    return sql.SQL(
        "WITH {found} AS MATERIALIZED (SELECT {ctid} AS at, {values} FROM ONLY {relation} AS {alias}, {others}"
        " WHERE {within} AND {ctid} = ANY ({locked}::tid[]) AND ({on}) FOR SHARE OF {shared}),"
        " {several} AS MATERIALIZED (SELECT at FROM {found} GROUP BY at HAVING count(*) > 1),"
        " {written} AS (UPDATE ONLY {relation} AS {alias} SET {sets} FROM {found}"
        " WHERE {within} AND {ctid} = {at}"
        " AND NOT EXISTS (SELECT FROM {several}) RETURNING 1)"
        " SELECT (SELECT count(*) FROM {written}), ARRAY(SELECT at::text FROM {several})"
    ).format(
        found=identifier(FOUND),
        within=within(work.table.name, bounds),
        several=identifier(SEVERAL),
        written=identifier(WRITTEN),
        ctid=identifier(work.table.name, "ctid"),
        at=identifier(FOUND, "at"),
        values=values,
        relation=relation,
        alias=alias,
        others=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(identifier(table.schema, table.name), identifier(name))
            for name, table in work.join.items()
        ),
        locked=locked,
        on=sql.SQL(escaped(work.on or "")),
        shared=sql.SQL(", ").join(identifier(name) for name in work.join),
        sets=sets,
    )


def keys(relation: sql.Identifier, names: Sequence[str], places: sql.Composable) -> sql.Composed:
    """What the first rows at some places are called: their keys, as text."""
    columns = sql.SQL(", ").join(sql.SQL("{}::text").format(identifier(name)) for name in names)
    return sql.SQL("SELECT {} FROM ONLY {} WHERE ctid = ANY ({}::tid[]) ORDER BY {} LIMIT {}").format(
        columns, relation, places, sql.SQL(", ").join(map(identifier, names)), sql.SQL(str(SHOWN))
    )


def ambiguous(shape: Form, places: Sequence[str], named: Iterable[Sequence[object]]) -> BackfillError:
    """The error where rows of the target belong to several of the joined tables.

    Args:
        shape: Of the target.
        places: Where these rows are.
        named: The keys of the first; none where the table has no key.
    """
    work = shape.work
    rows = [", ".join(f"{name} = {value}" for name, value in zip(shape.key, row, strict=True)) for row in named]
    shown = rows or [f"ctid {place}" for place in places[:SHOWN]]
    others = ", ".join(f"{table} AS {name}" for name, table in work.join.items())
    what = "1 row" if len(places) == 1 else f"{len(places)} rows"
    have = "has" if len(places) == 1 else "have"
    msg = (
        f"{what} of {work.table} {have} several rows of {others} to be filled from, where {work.on};"
        f" first: {'; '.join(shown)}"
    )
    return BackfillError(
        msg, hint="narrow on=… so that at most one belongs to a row; nothing of this batch was written"
    )
