"""The statements that make, or take away, an item of a seal on a live table; composed here, run by :mod:`sealing`.

Each takes a short lock or lets reads and writes pass. ``planned`` gives them as text, in order, without running any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.revisions import leaves, partitions
from expandcontract.revisions.operations import (
    SealConstraint,
    SealIndex,
    SealItem,
    SealNotNull,
    SealUnique,
    Unsealed,
)
from expandcontract.revisions.seal import create_index, plain, relation, valid

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table

NOT_NULL_NOT_VALID = 180000  # the first release that has it


def not_valid(table: Table, name: str, definition: str) -> sql.Composed:
    """ADD CONSTRAINT … NOT VALID: of the catalogue only, whatever the rows are."""
    add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {} NOT VALID")
    return add.format(relation(table), sql.Identifier(name), sql.SQL(definition))


def validate(table: Table, name: str) -> sql.Composed:
    """VALIDATE CONSTRAINT: a scan beside reads and writes."""
    return sql.SQL("ALTER TABLE {} VALIDATE CONSTRAINT {}").format(relation(table), sql.Identifier(name))


def drop_constraint(table: Table, name: str) -> sql.Composed:
    """DROP CONSTRAINT."""
    return sql.SQL("ALTER TABLE {} DROP CONSTRAINT {}").format(relation(table), sql.Identifier(name))


def set_not_null(table: Table, column: str) -> sql.Composed:
    """SET NOT NULL; without a scan where a validated CHECK proves it."""
    return sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL").format(relation(table), sql.Identifier(column))


def using_index(item: SealUnique) -> sql.Composed:
    """A unique constraint from the index of its name."""
    name = sql.Identifier(item.name)
    add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} UNIQUE USING INDEX {} {}")
    return add.format(relation(item.table), name, name, sql.SQL(item.timing))


def rule(item: SealNotNull, version: int) -> tuple[str, str]:
    """Name and definition of the constraint by which a NOT NULL is made, or proved before 18."""
    column = sql.Identifier(item.column)
    if version >= NOT_NULL_NOT_VALID:
        return item.name, sql.SQL("NOT NULL {}").format(column).as_string()
    return item.proof, sql.SQL("CHECK ({} IS NOT NULL)").format(column).as_string()


def version(connection: Connection) -> int:
    """The server's, as ``server_version_num`` has it."""
    return int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())


def planned(connection: Connection, items: tuple[SealItem, ...]) -> list[str]:
    """The statements that :func:`expandcontract.revisions.sealing.run` would run for what is not valid yet.

    Reads the catalogue; what an unfinished run left behind is taken to be gone.
    """
    found: list[str] = []
    for item in items:
        if not valid(connection, item):
            parts = leaves.parts(connection, item)
            found += planned(connection, parts or ())
            found += plain(item) if parts is not None else _steps(connection, item)
    return [statement.strip() for statement in found]


def _steps(connection: Connection, item: SealItem) -> Iterator[str]:
    match item:
        case SealIndex():
            yield from _index(connection, item)
        case SealUnique():
            yield create_index(item, concurrently=True)
            yield using_index(item).as_string()
        case SealNotNull():
            number = version(connection)
            yield from _constraint(item.table, *rule(item, number))
            if number < NOT_NULL_NOT_VALID:
                yield set_not_null(item.table, item.column).as_string()
                yield drop_constraint(item.table, item.proof).as_string()
        case Unsealed():
            yield drop_constraint(item.table, item.name).as_string()
        case SealConstraint():
            yield from _constraint(item.table, item.name, item.definition)


def _constraint(table: Table, name: str, definition: str) -> Iterator[str]:
    yield not_valid(table, name, definition).as_string()
    yield validate(table, name).as_string()


def _index(connection: Connection, item: SealIndex) -> Iterator[str]:
    if not leaves.is_partitioned(connection, item.table):
        yield create_index(item, concurrently=True)
        return
    yield from partitions.planned(connection, item)
