"""Enum types, their values in order, and what uses them. Takes no lock beyond ACCESS SHARE.

https://www.postgresql.org/docs/current/catalog-pg-enum.html
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.mapping import Table
from expandcontract.errors import UnknownNameError
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from sqlalchemy import Connection

QUERIES = load("expandcontract.pg", "enum.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enum:
    """An enum type; ``labels`` in their order, ``users`` the roles that it was granted to."""

    oid: int
    schema: str
    name: str
    comment: str | None
    labels: tuple[str, ...]
    users: tuple[str, ...]


def enum(connection: Connection, place: Table) -> Enum:
    """The type of that schema and name.

    Raises:
        UnknownNameError: There is no such enum type; the nearest is named.
    """
    row = connection.execute(text(QUERIES["type"]), {"schema": place.schema, "name": place.name}).mappings().first()
    if row is not None:
        return Enum(**{**row, "labels": tuple(row["labels"]), "users": tuple(row["users"])})
    known = [str(Table(schema=found.schema, name=found.name)) for found in connection.execute(text(QUERIES["types"]))]
    near = get_close_matches(str(place), known, n=1)
    msg = f"there is no enum type {place}" + (f"; did you mean {near[0]}?" if near else "")
    raise UnknownNameError(msg, hint="\\dT+ in psql lists them")


def is_taken(connection: Connection, schema: str, name: str) -> bool:
    """Whether a type has that name; every table has a type of its own name."""
    return bool(connection.execute(text(QUERIES["taken"]), {"schema": schema, "name": name}).scalar_one())


def columns_of(connection: Connection, found: Enum) -> dict[Table, list[str]]:
    """The columns of the type, by table; those of partitions belong to their parent."""
    tables: dict[Table, list[str]] = {}
    for row in connection.execute(text(QUERIES["columns"]), {"oid": found.oid}):
        tables.setdefault(Table(schema=row.schema, name=row.table), []).append(row.column)
    return tables


def users(connection: Connection, found: Enum) -> tuple[str, ...]:
    """What else uses the type: functions, views, domains, arrays, composite types."""
    return tuple(connection.execute(text(QUERIES["users"]), {"oid": found.oid}).scalars())
