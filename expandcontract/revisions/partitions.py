"""Indexes of a partitioned table, built without stopping a write: an empty whole, and each part attached to it.

PostgreSQL builds no index of a partitioned table concurrently; its manual names this way instead. Every step looks
first, so all may run any number of times; the whole is valid once its last part has been attached.
https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.rows import dict_row

from expandcontract.core.conflict import Claim
from expandcontract.core.effect import LockMode
from expandcontract.core.mapping import Table
from expandcontract.pg.build import Index, build, state
from expandcontract.pg.connect import hot
from expandcontract.pg.ddl import Notice, Work, perform, statements
from expandcontract.pg.queries import load
from expandcontract.revisions.operations import SealIndex, SealUnique
from expandcontract.revisions.seal import create_index, describe, relation, unique_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from expandcontract.core.attempt import Patience

QUERIES = load("expandcontract.revisions", "partitions.sql")
LONGEST = 63  # bytes


def build_whole(url: URL, item: SealIndex | SealUnique, patience: Patience) -> Iterator[Notice]:
    """Build the index, or the unique constraint's, of a partitioned table and of everything below it.

    Raises:
        LockTimeoutError: A lock was not had, or a build was not through; the blocker is named.
    """
    index = Index(schema=item.table.schema, name=item.name, relation=relation(item.table).as_string())
    with hot(url, command="seal") as connection:
        there = state(connection, index)
        children = _ask(connection, "children", relation=index.relation)
    if there is None:
        yield from _ddl(url, item, patience, _empty(item), Claim(index.relation, _mode(item)))
    for child in children:
        part = replace(
            item, table=Table(schema=child["schema"], name=child["name"]), name=part_name(item, child["name"])
        )
        yield from (build_whole if child["partitioned"] else _leaf)(url, part, patience)
        yield from _attach(url, item, part, patience)


def _leaf(url: URL, item: SealIndex | SealUnique, patience: Patience) -> Iterator[Notice]:
    index = Index(schema=item.table.schema, name=item.name, relation=relation(item.table).as_string())
    yield from build(url, index, sql.SQL(create_index(item, concurrently=True)), patience)
    if isinstance(item, SealUnique):
        with hot(url, command="seal") as connection:
            row = connection.execute(
                "SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s)",
                (index.relation, item.name),
            ).fetchone()
        if row == (False,):
            add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} UNIQUE USING INDEX {} {}")
            name = sql.Identifier(item.name)
            statement = add.format(relation(item.table), name, name, sql.SQL(item.timing))
            yield from _ddl(url, item, patience, statement, Claim(index.relation, LockMode.ACCESS_EXCLUSIVE))


def _attach(
    url: URL, item: SealIndex | SealUnique, part: SealIndex | SealUnique, patience: Patience
) -> Iterator[Notice]:
    whole = sql.Identifier(item.table.schema, item.name)
    inner = sql.Identifier(part.table.schema, part.name)
    with hot(url, command="seal") as connection:
        (row,) = _ask(connection, "attached", whole=whole.as_string(), part=inner.as_string())
    if not row["exists"]:
        statement = sql.SQL("ALTER INDEX {} ATTACH PARTITION {}").format(whole, inner)
        yield from _ddl(url, item, patience, statement, Claim(inner.as_string(), LockMode.ACCESS_EXCLUSIVE))


def _mode(item: SealIndex | SealUnique) -> LockMode:
    return LockMode.ACCESS_EXCLUSIVE if isinstance(item, SealUnique) else LockMode.SHARE


def _empty(item: SealIndex | SealUnique) -> sql.Composed:
    """The whole without its parts; it reads no rows and is not valid yet."""
    if isinstance(item, SealUnique):
        add = sql.SQL("ALTER TABLE ONLY {} ADD CONSTRAINT {} UNIQUE{} {} {}")
        distinct = sql.SQL(" NULLS NOT DISTINCT" if item.nulls_not_distinct else "")
        name, timing = sql.Identifier(item.name), sql.SQL(item.timing)
        return add.format(relation(item.table), name, distinct, unique_key(item), timing)
    unique = sql.SQL("UNIQUE " if item.unique else "")
    create = sql.SQL("CREATE {}INDEX {} ON ONLY {} USING {}")
    return create.format(unique, sql.Identifier(item.name), relation(item.table), sql.SQL(item.definition))


def _ddl(
    url: URL, item: SealIndex | SealUnique, patience: Patience, statement: sql.Composed, claim: Claim
) -> Iterator[Notice]:
    work = Work(what=describe(item), claims=(claim,), run=statements(url, "seal", statement))
    yield from perform(url, work, patience)


def part_name(item: SealIndex | SealUnique, table: str) -> str:
    """The name of a part's index: readable, the same each time, and no longer than PostgreSQL allows."""
    name = f"{table}_{item.name}"
    if len(name.encode()) <= LONGEST:
        return name
    tail = "_" + hashlib.sha256(name.encode()).hexdigest()[:8]
    return name.encode()[: LONGEST - len(tail)].decode(errors="ignore") + tail


def _ask(connection: Any, query: str, **values: object) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        found: list[dict[str, Any]] = cursor.execute(QUERIES[query], values).fetchall()
        return found
