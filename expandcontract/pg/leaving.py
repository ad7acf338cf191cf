"""What goes along when a column or a table is dropped, and what keeps it from going. Takes no lock beyond ACCESS SHARE.

PostgreSQL drops with a column every index, constraint and statistics that has it, however many others these have.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-DROP-COLUMN
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from expandcontract.pg.catalog import table_oid
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table

QUERIES = load("expandcontract.pg", "leaving.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFacts:
    """A table as a whole.

    Attributes:
        partition: Whether it is a partition of another table.
        partitioned: Whether it has partitions.
        row_security: Whether policies apply to it.
        owner: The role that owns it.
        owned: Whether that is the role that asks.
        inherits: Whether it inherits from another table.
        children: The tables that inherit from it.
        triggers: Its own triggers.
        comment: Its comment.
    """

    partition: bool
    partitioned: bool
    row_security: bool
    owner: str
    owned: bool
    inherits: bool
    children: list[str]
    triggers: list[str]
    comment: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A privilege on a table or, with ``column_name``, on one column; ``grantee`` is quoted for SQL."""

    grantee: str
    privilege: str
    grantable: bool
    column_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A constraint with its definition; a foreign key also with its columns and the table referred to, as SQL."""

    name: str
    definition: str
    target: str = ""
    columns: tuple[str, ...] = ()


def _rows(connection: Connection, query: str, table: Table, **values: object) -> list[dict[str, Any]]:
    found = connection.execute(text(QUERIES[query]), {"oid": table_oid(connection, table), **values})
    return [dict(row) for row in found.mappings()]


def along(connection: Connection, table: Table, column: str) -> tuple[str, ...]:
    """Indexes, constraints, statistics and sequences that are dropped with the column, in words."""
    return tuple(row["what"] for row in _rows(connection, "along", table, column=column))


def bound(connection: Connection, table: Table, column: str) -> tuple[tuple[str, str], ...]:
    """Why the column cannot be dropped at all, each with what to do instead."""
    return tuple((row["why"], row["instead"]) for row in _rows(connection, "bound", table, column=column))


def unique_alone(connection: Connection, table: Table, column: str) -> tuple[str, ...]:
    """The indexes that let every value of the column stand once."""
    return tuple(row["name"] for row in _rows(connection, "unique_alone", table, column=column))


def checks_alone(connection: Connection, table: Table, column: str) -> tuple[Named, ...]:
    """The checks over this column and no other."""
    return tuple(Named(**row) for row in _rows(connection, "checks_alone", table, column=column))


def statistics(connection: Connection, table: Table, column: str) -> tuple[str, ...]:
    """Statements that make the extended statistics over the column anew."""
    return tuple(row["statement"] for row in _rows(connection, "statistics", table, column=column))


def published(connection: Connection, table: Table) -> tuple[str, ...]:
    """The publications that the table is in."""
    found = connection.execute(text(QUERIES["published"]), {"schema": table.schema, "name": table.name})
    return tuple(found.scalars())


def keys_out(connection: Connection, table: Table) -> tuple[Named, ...]:
    """The table's foreign keys to other tables, which are locked with it when it is dropped."""
    rows = _rows(connection, "keys_out", table)
    return tuple(Named(**{**row, "columns": tuple(row["columns"])}) for row in rows)


def source(connection: Connection, table: Table) -> tuple[str, ...]:
    """Statements that make the table anew, empty: sequences, columns, partitions, constraints, indexes, comment."""
    return tuple(row["statement"] for row in _rows(connection, "source", table))


def facts(connection: Connection, table: Table) -> TableFacts:
    """What the table is.

    Raises:
        UnknownNameError: There is no such table.
    """
    return TableFacts(**_rows(connection, "table_facts", table)[0])


def grants(connection: Connection, table: Table) -> tuple[Grant, ...]:
    """What others than its owner may do with the table's rows."""
    return tuple(Grant(**row) for row in _rows(connection, "table_grants", table))
