"""An index of a partitioned table, made leaf by leaf: the parent's alone, each leaf's concurrently, then attached.

``CREATE INDEX CONCURRENTLY`` is not possible on the parent, and without it every leaf is locked against writes for the
whole build. What comes next is read from the catalogue each time, so the work may stop and start anywhere.
https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text

from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.revisions.operations import SealIndex

QUERIES = load("expandcontract.revisions", "partitions.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One statement on the way to a valid index.

    Attributes:
        statement: What to run.
        concurrent: Whether it runs outside a transaction and may wait for old snapshots; else it takes a short lock.
    """

    statement: sql.Composed
    concurrent: bool = False


def next_step(connection: Connection, item: SealIndex) -> Step | None:
    """What is to be done next for the item to be valid; ``None`` once every partition has its index.

    A leaf's index is named as PostgreSQL itself would name it. One that fits and is there already is taken, an invalid
    one is dropped first. Takes no lock; the statements take SHARE on the parent, SHARE UPDATE EXCLUSIVE on a leaf.
    """
    place = {"schema": item.table.schema, "table": item.table.name, "name": item.name}
    root = connection.execute(text(QUERIES["index"]), place).scalar()
    if root is None:
        return Step(statement=_create(item, sql.Identifier(item.name), item.table.schema, item.table.name, "ONLY "))
    return _below(connection, item, root)


def _below(connection: Connection, item: SealIndex, index: int) -> Step | None:
    row = connection.execute(text(QUERIES["unattached"]), {"index": index}).mappings().first()
    if row is None:
        return None
    if row["candidate"] is None:
        where = "ONLY " if row["partitioned"] else ""
        made = _create(item, None, row["schema"], row["name"], where, concurrently=not row["partitioned"])
        return Step(statement=made, concurrent=not row["partitioned"])
    candidate = sql.Identifier(row["schema"], row["candidate"])
    if not row["valid"] and not row["partitioned"]:
        return Step(statement=sql.SQL("DROP INDEX CONCURRENTLY {}").format(candidate), concurrent=True)
    if not row["valid"] and (deeper := _below(connection, item, row["oid"])) is not None:
        # attached once it is valid: that which makes it valid later would lock the whole table exclusively
        return deeper
    above = sql.Identifier(row["parent_schema"], row["parent"])
    return Step(statement=sql.SQL("ALTER INDEX {} ATTACH PARTITION {}").format(above, candidate))


def _create(
    item: SealIndex, name: sql.Identifier | None, schema: str, table: str, where: str, *, concurrently: bool = False
) -> sql.Composed:
    return sql.SQL("CREATE {}INDEX {}{} ON {}{} USING {}").format(
        sql.SQL("UNIQUE " if item.unique else ""),
        sql.SQL("CONCURRENTLY" if concurrently else ""),
        sql.SQL(" ") + name if name else sql.SQL(""),
        sql.SQL(where),
        sql.Identifier(schema, table),
        sql.SQL(item.definition),
    )
