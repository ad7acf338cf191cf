"""What the catalogue says of tables, indexes, constraints and types as a whole. Takes no lock beyond ACCESS SHARE."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from expandcontract.core.mapping import Table
from expandcontract.errors import UnknownNameError
from expandcontract.pg.catalog import table_oid
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from sqlalchemy import Connection

QUERIES = load("expandcontract.pg", "relation.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What sort of table it is.

    Attributes:
        oid: Its object identifier.
        partitioned: Whether it has partitions.
        partition: Whether it is one.
        typed: Whether it is ``OF`` a composite type.
        parent: What it is a partition or child of, or ``None``.
        inherited: Whether other tables inherit from it, otherwise than as partitions.
        column_grants: Whether privileges were granted on single columns.
    """

    oid: int
    partitioned: bool
    partition: bool
    typed: bool
    parent: str | None
    inherited: bool
    column_grants: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Descendant:
    """A partition or child, and its column of a given name."""

    name: str
    has_column: bool
    default: str | None
    own: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedIndex:
    """An index by its name; ``referrers`` are foreign keys that need it, ``parent`` the partitioned index above."""

    schema: str
    name: str
    table: Table
    unique: bool
    valid: bool
    primary: bool
    replica: bool
    partitioned: bool
    columns: tuple[str, ...]
    definition: str
    comment: str | None
    constraint: str | None
    referrers: str | None
    parent: str | None

    @property
    def tail(self) -> str:
        """What stands after USING."""
        return self.definition.split(" USING ", 1)[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedConstraint:
    """A constraint by its name.

    ``acts`` says whether a foreign key changes rows when what it refers to goes or changes; ``tail`` is what stands
    after the columns that it refers to. ``referrers`` are the foreign keys that need a key.
    """

    name: str
    kind: str
    definition: str
    validated: bool
    inherited: bool
    no_inherit: bool
    comment: str | None
    columns: tuple[str, ...]
    referred: Table | None
    referred_columns: tuple[str, ...]
    tail: str
    acts: bool
    referrers: str | None
    replica: bool
    dependents: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Enum:
    """An enum type, its values in order, and the columns of it or of an array of it."""

    oid: int
    labels: tuple[str, ...]
    columns: tuple[tuple[Table, str], ...]


def _rows(connection: Connection, query: str, **values: object) -> list[Any]:
    return [dict(row) for row in connection.execute(text(QUERIES[query]), values).mappings()]


def traits(connection: Connection, table: Table) -> Traits:
    """What sort of table it is.

    Raises:
        UnknownNameError: There is no such table.
    """
    return Traits(**_rows(connection, "traits", oid=table_oid(connection, table))[0])


def descendants(connection: Connection, table: Table, column: str) -> tuple[Descendant, ...]:
    """The partitions and children of every level."""
    rows = _rows(connection, "descendants", oid=table_oid(connection, table), column=column)
    return tuple(Descendant(**row) for row in rows)


def inserters(connection: Connection, table: Table) -> tuple[str, ...]:
    """The roles that were granted INSERT on the table or on a column of it, ``public`` for everybody."""
    return tuple(row["role"] for row in _rows(connection, "inserters", oid=table_oid(connection, table)))


def index(connection: Connection, name: Table) -> NamedIndex:
    """An index by ``index`` or ``schema.index``.

    Raises:
        UnknownNameError: There is none of that name; the nearest is named.
    """
    rows = _rows(connection, "index", schema=name.schema, name=name.name)
    if not rows:
        raise _unknown("index", name, [row["name"] for row in _rows(connection, "indexes")])
    row = rows[0]
    table = Table(schema=row.pop("table_schema"), name=row.pop("table"))
    row["columns"] = tuple(row["columns"])
    return NamedIndex(table=table, **row)


def same_index(connection: Connection, table: Table, tail: str) -> str | None:
    """A valid index of the table with that definition after USING, or ``None``."""
    rows = _rows(connection, "same_index", oid=table_oid(connection, table), tail=tail)
    return str(rows[0]["name"]) if rows else None


def constraint(connection: Connection, table: Table, name: str) -> NamedConstraint:
    """A constraint of a table by its name.

    Raises:
        UnknownNameError: There is no such table or constraint; the nearest is named.
    """
    oid = table_oid(connection, table)
    rows = _rows(connection, "constraint", oid=oid, name=name)
    if not rows:
        near = get_close_matches(name, [row["name"] for row in _rows(connection, "constraints", oid=oid)], n=1)
        msg = f"table {table} has no constraint {name!r}" + (f"; did you mean {near[0]}?" if near else "")
        raise UnknownNameError(msg, hint="\\d in psql lists them")
    row = rows[0]
    schema, referred = row.pop("referred_schema"), row.pop("referred")
    row["referred"] = None if referred is None else Table(schema=schema, name=referred)
    row["columns"], row["referred_columns"] = tuple(row["columns"]), tuple(row["referred_columns"] or ())
    return NamedConstraint(**row)


def not_null_name(connection: Connection, table: Table, column: str) -> str | None:
    """The name of a column's NOT NULL constraint; ``None`` before PostgreSQL 18, which has no names for them."""
    rows = _rows(connection, "not_null", oid=table_oid(connection, table), column=column)
    return str(rows[0]["name"]) if rows else None


def needed(connection: Connection, table: Table, column: str) -> tuple[str, ...]:
    """What needs the column to be NOT NULL, beside a primary key."""
    return tuple(row["what"] for row in _rows(connection, "needed", oid=table_oid(connection, table), column=column))


def enum(connection: Connection, name: Table) -> Enum:
    """An enum type by ``type`` or ``schema.type``.

    Raises:
        UnknownNameError: There is none of that name; the nearest is named.
    """
    rows = _rows(connection, "enum", schema=name.schema, name=name.name)
    if not rows or rows[0]["kind"] != "e":
        raise _unknown("enum type", name, [row["name"] for row in _rows(connection, "enums")])
    used = _rows(connection, "enum_columns", oid=rows[0]["oid"])
    columns = tuple((Table(schema=row["schema"], name=row["table"]), row["column"]) for row in used)
    return Enum(oid=rows[0]["oid"], labels=tuple(rows[0]["labels"]), columns=columns)


def _unknown(what: str, name: Table, known: list[str]) -> UnknownNameError:
    spelled = {found.removeprefix("public."): found for found in known}
    near = get_close_matches(str(name), spelled, n=1)
    msg = f"there is no {what} {name}" + (f"; did you mean {near[0]}?" if near else "")
    return UnknownNameError(msg, hint="\\di, \\d and \\dT in psql list them")
