"""The seal: what the new shape needs once it is full. Recorded from ``seal()`` as data, then made online.

Every step looks at the catalogue first, so all may run any number of times. Done means valid, not merely there.
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import alembic.op
from alembic.operations import Operations, ops
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from expandcontract.core.mapping import Table
from expandcontract.errors import PairError
from expandcontract.revisions.operations import (
    SealConstraint,
    SealForeignKey,
    SealIndex,
    SealItem,
    SealNotNull,
    SealUnique,
    Unsealed,
    _SealOp,
)

if TYPE_CHECKING:
    from types import ModuleType

    from sqlalchemy import Connection


def record(module: ModuleType, function: str = "seal") -> tuple[SealItem, ...]:
    """What ``seal()`` of a revision asks for, or another function that only seals; nothing is run.

    Raises:
        PairError: It does something else than seal.
    """
    if not hasattr(module, function):
        return ()
    items: list[SealItem] = []

    def invoke(operation: object) -> None:
        items.append(_item(operation, f"{function}() in {module.__file__}"))

    recorder = Operations(None, impl=object())  # type: ignore[arg-type]  # nothing is run through it
    recorder.invoke = invoke  # type: ignore[assignment,method-assign]
    prior = getattr(alembic.op, "_proxy", None)
    recorder._install_proxy()  # noqa: SLF001  # Alembic's own way to lend ``op`` to another object
    try:
        getattr(module, function)()
    finally:
        recorder._remove_proxy()  # noqa: SLF001
        if prior is not None:
            prior._install_proxy()  # noqa: SLF001
    return tuple(items)


def _item(operation: object, where: str) -> SealItem:
    if isinstance(operation, _SealOp):
        return operation.item
    if isinstance(operation, ops.CreateIndexOp):
        index = operation.to_index()
        statement = str(CreateIndex(index).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
        table = Table(schema=operation.schema or "public", name=str(operation.table_name))
        method = "btree (" if " USING " not in statement else ""
        tail = statement.split(" USING ", 1)[1] if not method else method + statement.split(" (", 1)[1]
        return SealIndex(str(index.name), table, tail, bool(index.unique))
    msg = f"{where} calls {type(operation).__name__}; it may only make indexes and constraints"
    raise PairError(msg, hint="use op.create_index or op.seal_…, and put other statements into an expand of their own")


def describe(item: SealItem) -> str:
    """The step in a few words."""
    match item:
        case SealIndex():
            return f"index {item.name}"
        case SealNotNull():
            return f"NOT NULL of {item.table}.{item.column}"
        case SealUnique():
            return f"unique constraint {item.name} of {item.table}"
        case Unsealed():
            return f"the end of foreign key {item.name} of {item.table}"
        case SealForeignKey():
            return f"foreign key {item.name} of {item.table}"
        case SealConstraint():
            return f"constraint {item.name} of {item.table}"


def relation(table: Table) -> sql.Identifier:
    """The table's qualified name, quoted."""
    return sql.Identifier(table.schema, table.name)


def create_index(item: SealIndex | SealUnique, *, concurrently: bool) -> str:
    """CREATE INDEX of the item, or of the index below a unique constraint."""
    unique = isinstance(item, SealUnique) or item.unique
    if isinstance(item, SealUnique):
        distinct = " NULLS NOT DISTINCT" if item.nulls_not_distinct else ""
        definition: sql.Composable = sql.SQL("btree {}{}").format(unique_key(item), sql.SQL(distinct))
    else:
        definition = sql.SQL(item.definition)
    return (
        sql.SQL("CREATE {}INDEX {}{} ON {} USING {}")
        .format(
            sql.SQL("UNIQUE " if unique else ""),
            sql.SQL("CONCURRENTLY " if concurrently else ""),
            sql.Identifier(item.name),
            relation(item.table),
            definition,
        )
        .as_string()
    )


def unique_key(item: SealUnique) -> sql.Composed:
    """The columns of a unique constraint, and what its index includes."""

    def listed(names: tuple[str, ...]) -> sql.Composed:
        return sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Identifier, names)))

    key = listed(item.columns)
    if item.include:
        key += sql.SQL(" INCLUDE ") + listed(item.include)
    return key


def plain(item: SealItem) -> tuple[str, ...]:
    """The step as plain statements within a transaction, for databases that nothing uses yet."""
    table = relation(item.table)
    match item:
        case SealIndex():
            return (create_index(item, concurrently=False),)
        case SealNotNull():
            column = sql.Identifier(item.column)
            return (sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL").format(table, column).as_string(),)
        case SealUnique():
            distinct = sql.SQL(" NULLS NOT DISTINCT" if item.nulls_not_distinct else "")
            add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} UNIQUE{} {} {}")
            name, timing = sql.Identifier(item.name), sql.SQL(item.timing)
            return (add.format(table, name, distinct, unique_key(item), timing).as_string().rstrip(),)
        case Unsealed():
            drop = sql.SQL("ALTER TABLE IF EXISTS {} DROP CONSTRAINT IF EXISTS {}")
            return (drop.format(table, sql.Identifier(item.name)).as_string(),)
        case SealConstraint():
            add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}")
            return (add.format(table, sql.Identifier(item.name), sql.SQL(item.definition)).as_string(),)


VALID = {
    SealIndex: """SELECT x.indisvalid FROM pg_index AS x JOIN pg_class AS i ON i.oid = x.indexrelid
        JOIN pg_namespace AS n ON n.oid = i.relnamespace WHERE n.nspname = :schema AND i.relname = :name
        AND x.indrelid = to_regclass(format('%I.%I', cast(:schema AS text), cast(:table AS text)))""",
    SealNotNull: """SELECT CASE WHEN a.attnotnull THEN NOT EXISTS (SELECT FROM pg_constraint AS c
            WHERE c.conrelid = a.attrelid AND c.contype = 'n' AND c.conkey[1] = a.attnum AND NOT c.convalidated) END
        FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass(format('%I.%I', cast(:schema AS text), cast(:table AS text)))
        AND a.attname = :column AND NOT a.attisdropped""",
    SealConstraint: """SELECT c.convalidated FROM pg_constraint AS c
        WHERE c.conrelid = to_regclass(format('%I.%I', cast(:schema AS text), cast(:table AS text)))
        AND c.conname = :name""",
}
VALID[Unsealed] = """SELECT CASE WHEN c.oid IS NULL THEN true WHEN NOT c.convalidated THEN false END
    FROM (SELECT 1) AS one LEFT JOIN pg_constraint AS c ON c.conname = :name
        AND c.conrelid = to_regclass(format('%I.%I', cast(:schema AS text), cast(:table AS text)))"""
# a partitioned table's unique constraint counts as validated before the indexes of all its parts are there
VALID[SealUnique] = VALID[SealConstraint].replace(
    "SELECT c.convalidated FROM pg_constraint AS c",
    "SELECT c.convalidated AND x.indisvalid FROM pg_constraint AS c JOIN pg_index AS x ON x.indexrelid = c.conindid",
)


def valid(connection: Connection, item: SealItem) -> bool | None:
    """Whether the item is there and valid; ``None`` where it is not there at all."""
    values = {"schema": item.table.schema, "table": item.table.name, "name": item.name}
    if isinstance(item, SealNotNull):
        values["column"] = item.column
    kind = SealConstraint if isinstance(item, SealConstraint) else type(item)
    found = connection.execute(text(VALID[kind]), values).scalar_one_or_none()
    return None if found is None else bool(found)


def below(item: SealItem) -> SealItem | None:
    """What stands there first while the item is made, and is left where that is broken off."""
    match item:
        case SealUnique():
            return SealIndex(item.name, item.table, "", unique=True)
        case SealNotNull():
            return SealConstraint(item.proof, item.table, "")
        case _:
            return None


def missing(connection: Connection, items: tuple[SealItem, ...]) -> tuple[str, ...]:
    """The items that are not there or not valid, in words."""
    return tuple(describe(item) for item in items if not valid(connection, item))
