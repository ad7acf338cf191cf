"""What the catalogue says of a table, its columns, and what hangs on them. Takes no lock beyond ACCESS SHARE."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from expandcontract.core.mapping import Table
from expandcontract.errors import UnknownNameError
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


QUERIES = load("expandcontract.pg", "catalog.sql")
HEAP, FOREIGN = "heap", "foreign table"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column as the catalogue has it; ``type`` as ``format_type`` writes it."""

    name: str
    type: str
    not_null: bool
    default: str | None
    comment: str | None
    generated: bool
    identity: bool
    collation: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index over a column; ``constraint`` names the constraint it backs, if any."""

    name: str
    definition: str
    unique: bool
    valid: bool
    identity: bool
    constraint: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A constraint over a column.

    ``kind`` is ``c``, ``f``, ``p``, ``u``, ``x`` or ``n``; it is not ``own`` where it only refers to the column.
    ``columns`` are the key's, ``included`` those that its index only carries along.
    """

    name: str
    kind: str
    definition: str
    own: bool
    validated: bool
    on_table: str
    columns: tuple[str, ...]
    included: tuple[str, ...]
    deferrable: bool
    deferred: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A relation with rows of its own: the table, or one of its partitions.

    ``method`` is how it keeps them: ``heap``, another access method, or ``foreign table``. ``pages`` are slices of
    rows where it is no heap.
    """

    oid: int
    schema: str
    name: str
    filenode: int
    pages: int
    rows: int
    method: str

    @property
    def is_heap(self) -> bool:
        """Whether its rows lie in heap pages."""
        return self.method == HEAP

    @property
    def is_foreign(self) -> bool:
        """Whether its rows lie elsewhere."""
        return self.method == FOREIGN


def _rows(connection: Connection, query: str, **values: object) -> list[Any]:
    return list(connection.execute(text(QUERIES[query]), values).mappings())


def table_oid(connection: Connection, table: Table) -> int:
    """The table's object identifier.

    Raises:
        UnknownNameError: There is no such table; the nearest is named.
    """
    rows = _rows(connection, "table", schema=table.schema, name=table.name)
    if rows:
        return int(rows[0]["oid"])
    known = [str(Table(schema=row["schema"], name=row["name"])) for row in _rows(connection, "tables")]
    msg = f"there is no table {table}"
    raise _unknown(msg, str(table), known)


def columns(connection: Connection, table: Table) -> tuple[Column, ...]:
    """The table's columns, in order.

    Raises:
        UnknownNameError: There is no such table.
    """
    return tuple(Column(**row) for row in _rows(connection, "columns", oid=table_oid(connection, table)))


def column(connection: Connection, table: Table, name: str) -> Column:
    """One column.

    Raises:
        UnknownNameError: There is no such table or column; the nearest is named.
    """
    known = {found.name: found for found in columns(connection, table)}
    if name not in known:
        msg = f"table {table} has no column {name!r}"
        raise _unknown(msg, name, list(known))
    return known[name]


def _unknown(message: str, name: str, known: Sequence[str]) -> UnknownNameError:
    near = get_close_matches(name, known, n=1)
    return UnknownNameError(message + (f"; did you mean {near[0]}?" if near else ""), hint="\\d in psql lists them")


def grants(connection: Connection, table: Table, name: str) -> tuple[tuple[str, str], ...]:
    """The column's own grants, as (role, privilege)."""
    rows = _rows(connection, "grants", oid=table_oid(connection, table), column=name)
    return tuple((row["grantee"], row["privilege"]) for row in rows)


def indexes(connection: Connection, table: Table, name: str) -> tuple[Index, ...]:
    """The indexes that have the column in keys, expressions, INCLUDE or predicate."""
    return tuple(Index(**row) for row in _rows(connection, "indexes", oid=table_oid(connection, table), column=name))


def constraints(connection: Connection, table: Table, name: str) -> tuple[Constraint, ...]:
    """The constraints over the column, and the foreign keys of other tables that refer to it."""
    rows = _rows(connection, "constraints", oid=table_oid(connection, table), column=name)
    return tuple(
        Constraint(**{**row, "columns": tuple(row["columns"]), "included": tuple(row["included"])}) for row in rows
    )


def beside(connection: Connection, table: Table, name: str) -> frozenset[str]:
    """The other columns that stand in an index or constraint together with this one."""
    return frozenset(row["name"] for row in _rows(connection, "beside", oid=table_oid(connection, table), column=name))


def leaves(connection: Connection, table: Table) -> tuple[Leaf, ...]:
    """The relations that hold the table's rows."""
    return tuple(Leaf(**row) for row in _rows(connection, "leaves", oid=table_oid(connection, table)))


def primary_key(connection: Connection, oid: int) -> tuple[str, ...]:
    """The columns of a relation's primary key, in the key's order; empty where it has none."""
    return tuple(str(row["name"]) for row in _rows(connection, "primary_key", oid=oid))


def dependents(connection: Connection, table: Table, columns: Sequence[str]) -> tuple[str, ...]:
    """What else in the database depends on these columns, or mentions them in a function's body.

    Where they are all that the table or view has, also what depends on it as a whole.
    """
    found = _rows(connection, "relation", schema=table.schema, name=table.name)
    if not found:
        return ()
    rows = _rows(connection, "dependents", oid=found[0]["oid"], table=table.name, columns=list(columns))
    return tuple(row["what"] for row in rows)
