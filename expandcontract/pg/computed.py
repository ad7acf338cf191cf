"""The statements of a fill by a Python function: rows are read without a lock, and written only if still as read.

What a row was computed from is compared as text, so that types without an equality have one, and 2.50 is not 2.5. The
row's place, its ctid, only finds it: a row that moved since is not written, but read again by its key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from psycopg import sql
from psycopg.adapt import PyFormat
from psycopg.types.json import Json, Jsonb
from sqlalchemy import text

from expandcontract.core.fill import Fill
from expandcontract.errors import FunctionError, MappingError
from expandcontract.pg.queries import load
from expandcontract.pg.quoting import escaped, identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from psycopg.abc import Transformer
    from sqlalchemy import Connection

    from expandcontract.core.shape import Work
    from expandcontract.pg.catalog import Leaf

QUERIES = load("expandcontract.pg", "computed.sql")
GIVEN = "expandcontract_given"
HINT = (
    "mend the function, then run the same command again; nothing of this batch was written, and it goes on from there"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A row as it was read.

    Attributes:
        at: Its place then.
        seen: What it was computed from, as text.
        row: Key and reads, by column.
    """

    at: str
    seen: str
    row: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """How rows of one relation are read and written.

    Attributes:
        work: What is filled.
        relation: The table or partition.
        key: Its primary key; empty where it has none.
        types: Of its columns, without length.
        json: The columns whose values are written as JSON.
    """

    work: Fill
    relation: sql.Identifier
    key: tuple[str, ...]
    types: Mapping[str, str]
    json: frozenset[str]

    @property
    def seen(self) -> tuple[str, ...]:
        """The columns that the function gets."""
        return tuple(dict.fromkeys((*self.key, *self.work.reads)))

    def taken(self, rows: Iterable[Sequence[Any]]) -> list[Read]:
        """The rows that :func:`read` gave."""
        return [Read(at=row[0], seen=row[1], row=dict(zip(self.seen, row[2:], strict=True))) for row in rows]

    def named(self, found: Read) -> str:
        """Which row it is: its key, or where there is none its place."""
        if not self.key:
            return f"the row at ctid {found.at}"
        return f"row {', '.join(f'{name} = {found.row[name]}' for name in self.key)}"


def form(connection: Connection, work: Fill, leaf: Leaf) -> Form:
    """Look at a relation.

    Raises:
        MappingError: It lacks a column that the function reads or writes.
    """
    rows = connection.execute(text(QUERIES["columns"]), {"oid": leaf.oid}).mappings().all()
    types = {row["name"]: row["type"] for row in rows}
    known(work, types)
    return Form(
        work=work,
        relation=identifier(leaf.schema, leaf.name),
        key=tuple(connection.execute(text(QUERIES["key"]), {"oid": leaf.oid}).scalars()),
        types=types,
        json=frozenset(row["name"] for row in rows if row["is_json"]),
    )


def forms(connection: Connection, work: Work, leaves: Iterable[Leaf]) -> dict[int, Form]:
    """The form of each relation; none where the rows themselves give what is filled.

    Raises:
        MappingError: One lacks a column that a function reads or writes.
    """
    if not isinstance(work, Fill) or work.by_row:
        return {}
    return {leaf.oid: form(connection, work, leaf) for leaf in leaves}


def known(work: Fill, columns: Collection[str], *, to_come: Collection[str] = ()) -> None:
    """Make sure that the table has what the function reads and writes; columns that the expand adds may be missing.

    Raises:
        MappingError: It has not; the nearest name is said.
    """
    for name in (*work.reads, *work.writes):
        if name not in columns and name not in to_come:
            near = get_close_matches(name, list(columns), n=1)
            msg = f"{work.function} is declared to use {name}, which {work.table} does not have"
            raise MappingError(msg + (f"; did you mean {near[0]}?" if near else ""), hint="mend the Fill")


def lacking(work: Fill) -> sql.Composed:
    """True for a row that lacks its values; the row is called as its table."""
    if work.where is not None:
        return sql.SQL("({})").format(sql.SQL(escaped(work.where)))
    empty = (sql.SQL("{} IS NULL").format(identifier(work.table.name, name)) for name in work.columns)
    return sql.SQL("({})").format(sql.SQL(" AND ").join(empty))


def read(shape: Form, which: sql.Composable) -> sql.Composed:
    """Read the unfilled rows of ``which``, without a lock. Takes ACCESS SHARE."""
    columns = [_own(shape, name) for name in shape.seen]
    return sql.SQL("SELECT {}::text, {}::text, {} FROM ONLY {} AS {} WHERE {} AND {}").format(
        _own(shape, "ctid"),
        _seen(shape),
        sql.SQL(", ").join(columns),
        shape.relation,
        identifier(shape.work.table.name),
        which,
        lacking(shape.work),
    )


def by_key(shape: Form, keys: Sequence[sql.Composable]) -> sql.Composed:
    """The rows of these keys, one array of text for each of its columns."""
    own = sql.SQL(", ").join(_own(shape, name) for name in shape.key)
    given = sql.SQL(", ").join(_cast(shape, name, number) for number, name in enumerate(shape.key))
    return sql.SQL("({}) IN (SELECT {} FROM {})").format(own, given, _given(keys))


def around(places: Sequence[str]) -> tuple[str, str]:
    """The first page of some places, and the one beyond the last: ``(7,3)`` and ``(9,1)`` give ``(7,0)``, ``(10,0)``.

    A statement that also says this is planned as a scan of so many pages at most, where a join on ctid alone may be
    thought dearer than reading the whole table. https://www.postgresql.org/docs/14/release-14.html
    """
    pages = [int(place[1:].partition(",")[0]) for place in places]
    return f"({min(pages)},0)", f"({max(pages) + 1},0)"


def within(table: str, bounds: tuple[sql.Composable, sql.Composable]) -> sql.Composed:
    """True for a row of the table within such bounds."""
    ctid = identifier(table, "ctid")
    return sql.SQL("{} >= {}::tid AND {} < {}::tid").format(ctid, bounds[0], ctid, bounds[1])


def write(
    shape: Form,
    at: sql.Composable,
    seen: sql.Composable,
    values: Sequence[sql.Composable],
    bounds: tuple[sql.Composable, sql.Composable],
) -> sql.Composed:
    """Write what was computed to the rows that are still as they were read and still unfilled; gives their places.

    Takes ROW EXCLUSIVE, and locks the rows that it writes. May run twice: a row that was filled no longer matches.

    Args:
        shape: Of the relation.
        at: An array of places.
        seen: An array of what was read there.
        values: For each column that is written, an array of its values as text.
        bounds: Of the places, as :func:`around` gives them.
    """
    sets = [
        sql.SQL("{} = {}").format(identifier(name), _cast(shape, name, number + 2))
        for number, name in enumerate(shape.work.writes)
    ]
    return sql.SQL(
        "UPDATE ONLY {relation} AS {alias} SET {sets} FROM {given}"
        " WHERE {within} AND {ctid} = {at}::tid AND {own}::text = {seen} AND {unfilled} RETURNING {at}"
    ).format(
        relation=shape.relation,
        alias=identifier(shape.work.table.name),
        sets=sql.SQL(", ").join(sets),
        given=_given([at, seen, *values]),
        within=within(shape.work.table.name, bounds),
        ctid=_own(shape, "ctid"),
        at=_column(0),
        own=_seen(shape),
        seen=_column(1),
        unfilled=lacking(shape.work),
    )


def _seen(shape: Form) -> sql.Composed:
    return sql.SQL("ROW({})").format(sql.SQL(", ").join(_own(shape, name) for name in shape.seen))


def _own(shape: Form, name: str) -> sql.Identifier:
    return identifier(shape.work.table.name, name)


def _column(number: int) -> sql.Identifier:
    return identifier(GIVEN, f"expandcontract_{number}")


def _cast(shape: Form, name: str, number: int) -> sql.Composed:
    return sql.SQL("{}::{}").format(_column(number), sql.SQL(escaped(shape.types[name])))


def _given(arrays: Sequence[sql.Composable]) -> sql.Composed:
    names = sql.SQL(", ").join(identifier(f"expandcontract_{number}") for number in range(len(arrays)))
    casts = sql.SQL(", ").join(sql.SQL("{}::text[]").format(array) for array in arrays)
    return sql.SQL("unnest({}) AS {} ({})").format(casts, identifier(GIVEN), names)


def as_text(value: object, *, as_json: bool, adapter: Transformer) -> str | None:
    """A value as PostgreSQL reads it.

    Raises:
        psycopg.Error: The type is not known, or text has a byte that PostgreSQL cannot keep.
        TypeError: It is to be JSON and cannot be.
    """
    if value is None:
        return None
    if as_json and not isinstance(value, Json | Jsonb):
        return json.dumps(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return f"\\x{bytes(value).hex()}"
    dumped = adapter.get_dumper(value, PyFormat.TEXT).dump(value)
    return None if dumped is None else bytes(dumped).decode(adapter.encoding)


def literal(values: Sequence[str | None]) -> sql.SQL:
    """An array of text as a literal, for a driver whose placeholders are not known."""
    return sql.SQL(escaped(sql.Literal(list(values)).as_string()))


def failure(shape: Form, said: str, about: Sequence[Read]) -> FunctionError:
    """The error of a function: what it did, for which row, and the type of each value there, never the value.

    Args:
        shape: Of the relation.
        said: What it did.
        about: The row, or all of them.
    """
    first, last = about[0], about[-1]
    where = f"{shape.named(first)} of {shape.work.table}"
    if len(about) > 1:
        where = f"{len(about)} rows of {shape.work.table}, from {shape.named(first)} to {shape.named(last)}"
    types = ", ".join(f"{name} {_type(value)}" for name, value in first.row.items())
    return FunctionError(f"{shape.work.function} {said}; at {where}, read as {types}", hint=HINT)


def _type(value: object) -> str:
    return "NULL" if value is None else type(value).__name__
