"""An index of a partitioned table, made leaf by leaf: the parent's alone, each leaf's concurrently, then attached.

``CREATE INDEX CONCURRENTLY`` is not possible on the parent, and without it every leaf is locked against writes for the
whole build. What comes next is read from the catalogue each time, so the work may stop and start anywhere.
https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from psycopg import sql
from sqlalchemy import text

from expandcontract.core.effect import LockMode
from expandcontract.core.naming import default_name
from expandcontract.pg.build import Index
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from sqlalchemy import Connection

    from expandcontract.revisions.operations import SealIndex

QUERIES = load("expandcontract.revisions", "partitions.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A leaf's index, to be built concurrently."""

    index: Index
    statement: sql.Composed


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """A leaf's index that an unfinished build left invalid, to be dropped."""

    index: Index


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A statement of the catalogue only, on ``relation``, under that lock."""

    statement: sql.Composed
    relation: str
    mode: LockMode


Step = Build | Drop | Short


def next_step(connection: Connection, item: SealIndex) -> Step | None:
    """What is to be done next for the item to be valid; ``None`` once every partition has its index.

    A leaf's index is named as PostgreSQL itself would name it. One that fits and is there already is taken, an invalid
    one is dropped first. Takes no lock; the statements take SHARE on the parent, SHARE UPDATE EXCLUSIVE on a leaf.
    """
    place = {"schema": item.table.schema, "table": item.table.name, "name": item.name}
    root = connection.execute(text(QUERIES["index"]), place).scalar()
    if root is None:
        return _empty(item, item.name, item.table.schema, item.table.name)
    return _below(connection, item, root)


def _below(connection: Connection, item: SealIndex, index: int) -> Step | None:
    row = connection.execute(text(QUERIES["unattached"]), {"index": index}).mappings().first()
    if row is None:
        return None
    relation = sql.Identifier(row["schema"], row["name"]).as_string()
    if row["candidate"] is None:
        name = _free(connection, row, index)
        if row["partitioned"]:
            return _empty(item, name, row["schema"], row["name"])
        leaf = Index(schema=row["schema"], name=name, relation=relation)
        return Build(index=leaf, statement=_create(item, name, row["schema"], row["name"], "CONCURRENTLY ", ""))
    candidate = Index(schema=row["schema"], name=row["candidate"], relation=relation)
    if not row["valid"] and not row["partitioned"]:
        return Drop(index=candidate)
    if not row["valid"] and (deeper := _below(connection, item, row["oid"])) is not None:
        # attached once it is valid: that which makes it valid later would lock the whole table exclusively
        return deeper
    above = sql.Identifier(row["parent_schema"], row["parent"])
    attach = sql.SQL("ALTER INDEX {} ATTACH PARTITION {}").format(above, candidate.identifier)
    return Short(statement=attach, relation=candidate.identifier.as_string(), mode=LockMode.ACCESS_EXCLUSIVE)


def planned(connection: Connection, item: SealIndex) -> list[str]:
    """The statements of :func:`next_step`, in order, for an item of which nothing is there yet.

    What each index is called depends on what PostgreSQL makes of the definition; it is asked on an empty temporary
    table of the same columns, which is gone again afterwards.
    """
    place = sql.Identifier(item.table.schema, item.table.name)
    savepoint = connection.begin_nested()
    try:
        for probe in (
            sql.SQL("CREATE TEMP TABLE expandcontract_probe (LIKE {})").format(place),
            _create(item, "expandcontract_probe_idx", "pg_temp", "expandcontract_probe", "", ""),
        ):
            connection.exec_driver_sql(probe.as_string().replace("%", "%%"))
        index = connection.execute(
            text("SELECT 'pg_temp.expandcontract_probe_idx'::regclass::oid::bigint")
        ).scalar_one()
        values = {"schema": item.table.schema, "table": item.table.name, "index": index}
        rows = list(connection.execute(text(QUERIES["tree"]), values).mappings())
        root = _empty(item, item.name, item.table.schema, item.table.name)
        return [root.statement.as_string(), *_parts(connection, item, rows, index)]
    finally:
        savepoint.rollback()


def _parts(connection: Connection, item: SealIndex, rows: Sequence[Any], index: int) -> Iterator[str]:
    """Depth first, by name: each part's index, those below it, and that it is attached."""
    taken: set[tuple[str, str]] = set()

    def below(parent: int, above: sql.Identifier) -> Iterator[str]:
        for row in rows:
            if row["parent"] != parent:
                continue
            name = row["candidate"] or _free(connection, row, index, taken)
            mine = sql.Identifier(row["schema"], name)
            if row["candidate"] is None:
                taken.add((row["schema"], name))
                how, where = ("", "ONLY ") if row["partitioned"] else ("CONCURRENTLY ", "")
                yield _create(item, name, row["schema"], row["name"], how, where).as_string()
                yield from below(row["oid"], mine)
            yield sql.SQL("ALTER INDEX {} ATTACH PARTITION {}").format(above, mine).as_string()

    roots = {row["parent"] for row in rows} - {row["oid"] for row in rows}
    for root in roots:
        yield from below(root, sql.Identifier(item.table.schema, item.name))


def _free(connection: Connection, row: Any, index: int, also: Container[tuple[str, str]] = ()) -> str:
    """The name that PostgreSQL would choose: of the table and what is indexed, with a number where that is taken."""
    columns = [str(name) for name in connection.execute(text(QUERIES["columns"]), {"index": index}).scalars()]
    for number in count():
        name = default_name(row["name"], columns, f"idx{number or ''}")
        values = {"schema": row["schema"], "name": name}
        if (row["schema"], name) not in also and not connection.execute(text(QUERIES["taken"]), values).scalar_one():
            return name
    raise AssertionError(name)  # the numbers do not end


def _empty(item: SealIndex, name: str, schema: str, table: str) -> Short:
    """A partitioned table's index without its parts; it reads no rows and is not valid yet."""
    relation = sql.Identifier(schema, table).as_string()
    return Short(statement=_create(item, name, schema, table, "", "ONLY "), relation=relation, mode=LockMode.SHARE)


def _create(item: SealIndex, name: str, schema: str, table: str, how: str, where: str) -> sql.Composed:
    return sql.SQL("CREATE {}INDEX {}{} ON {}{} USING {}").format(
        sql.SQL("UNIQUE " if item.unique else ""),
        sql.SQL(how),
        sql.Identifier(name),
        sql.SQL(where),
        sql.Identifier(schema, table),
        sql.SQL(item.definition),
    )
