"""The statements of backfill and parity where columns move to another table.

The source's rows are locked first and the values computed from the locked rows, never from a snapshot; then the
target's rows are written, each only if it is still as it was found. A source row is locked before a target row, as a
write that comes from the source does; one that comes from the target locks the other way round, and where the two meet
the batch, whose wait is the shortest, gives way and is tried again.
https://www.postgresql.org/docs/current/sql-select.html#SQL-FOR-UPDATE-SHARE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.pg.pairing import (
    TARGET,
    differs,
    every,
    expressions,
    has_value,
    listed,
    some,
    source,
    stranded,
    target,
)
from expandcontract.pg.quoting import identifier

if TYPE_CHECKING:
    from expandcontract.core.transfer import Transfer

LOCKED = "expandcontract_locked"


def fill(work: Transfer, relation: sql.Identifier, pages: sql.Composable) -> sql.Composed:
    """Fill the unfilled rows of ``pages``. Takes ROW EXCLUSIVE on the target; locks the rows of both tables."""
    empty = every(sql.SQL("{} IS NULL").format(target(name)) for name in work.new)
    return _write(work, relation, pages, sql.SQL("({}) AND {}").format(empty, has_value(work)), empty)


def repair(work: Transfer, relation: sql.Identifier, pages: sql.Composable) -> sql.Composed:
    """Set the new columns from the old ones where they differ. Only while the old shape is the authority."""
    stale = sql.SQL("{}::text IS DISTINCT FROM {}::text")
    parts = [stale.format(target(name), identifier(LOCKED, _value(n))) for n, name in enumerate(work.new)]
    return _write(work, relation, pages, differs(work), sql.SQL("({})").format(some(parts)))


def _write(
    work: Transfer, relation: sql.Identifier, pages: sql.Composable, which: sql.Composed, again: sql.Composed
) -> sql.Composed:
    # what stands in "again" is asked of the target's row as it is once that is locked too
    return sql.SQL(
        "WITH {locked} AS MATERIALIZED (SELECT {keys}, {values} FROM {source} AS {alias}"
        " WHERE ({source_key}) IN (SELECT {target_key} FROM ONLY {relation} AS {target} WHERE {pages} AND {which})"
        " FOR NO KEY UPDATE OF {alias})"
        " UPDATE ONLY {relation} AS {target} SET {set} FROM {locked} WHERE {joined} AND {pages} AND {again}"
    ).format(
        locked=identifier(LOCKED),
        keys=listed(
            sql.SQL("{} AS {}").format(source(work, name), identifier(_key(n)))
            for n, name in enumerate(work.key.values())
        ),
        values=listed(
            sql.SQL("({}) AS {}").format(value, identifier(_value(n))) for n, value in enumerate(expressions(work))
        ),
        source=identifier(work.source.schema, work.source.name),
        alias=identifier(work.source.name),
        source_key=listed(source(work, name) for name in work.key.values()),
        target_key=listed(target(name) for name in work.key),
        relation=relation,
        target=TARGET,
        pages=pages,
        which=which,
        set=listed(
            sql.SQL("{} = {}").format(identifier(name), identifier(LOCKED, _value(n)))
            for n, name in enumerate(work.new)
        ),
        joined=every(
            sql.SQL("{} = {}").format(target(name), identifier(LOCKED, _key(n))) for n, name in enumerate(work.key)
        ),
        again=again,
    )


def create(work: Transfer, relation: sql.Identifier, pages: sql.Composable) -> sql.Composed:
    """Insert the target rows that are missing; the trigger gives each its value, from the source's locked row."""
    return sql.SQL(
        "INSERT INTO {target} ({target_key}) SELECT {source_key} FROM ONLY {relation} AS {alias}"
        " WHERE {pages} AND {stranded} ON CONFLICT DO NOTHING"
    ).format(
        target=identifier(work.table.schema, work.table.name),
        target_key=listed(identifier(name) for name in work.key),
        source_key=listed(source(work, name) for name in work.key.values()),
        relation=relation,
        alias=identifier(work.source.name),
        pages=pages,
        stranded=stranded(work),
    )


def _key(number: int) -> str:
    return f"k{number}"


def _value(number: int) -> str:
    return f"v{number}"
