"""Rows that lie in no heap page, cut into slices by a key. A slice stands wherever a page does.

A slice is some rows next to each other by key, known by the least key in it; the first one is open below and the last
one above, so that together they hold every key there is or will be. Nothing need be unique, only in order. They are cut
once a backfill, and stay as they are, whatever is written meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.core.fill import Fill
from expandcontract.core.mapping import Mapping
from expandcontract.errors import BackfillError
from expandcontract.pg.queries import load
from expandcontract.pg.quoting import escaped, identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Mapping as MappingABC

    import psycopg

    from expandcontract.core.shape import Work
    from expandcontract.pg.catalog import Leaf

QUERIES = load("expandcontract.backfill", "slices.sql")
ROWS = 100
"""In one slice."""
LONGEST_CUT = "30min"
"""How long it may take to read every key once."""
FIRST, END = "%(first)s::bigint", "%(end)s::bigint"
CUT = sql.SQL(
    "INSERT INTO expandcontract.slice (change, relation, number, low)"
    " SELECT %(change)s, %(relation)s, (place - 1) / %(rows)s, low FROM ("
    "SELECT row_number() OVER (ORDER BY {order}) AS place, ARRAY[{low}] AS low FROM ONLY {table}) AS keys"
    " WHERE (place - 1) %% %(rows)s = 0"
)


@dataclass(frozen=True, slots=True)
class Key:
    """What the rows of one relation are told apart and put in order by.

    Attributes:
        columns: Its columns.
        types: Their types, as they are cast to.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]

    @property
    def row(self) -> sql.Composed:
        """The key of a row."""
        return sql.SQL("({})").format(sql.SQL(", ").join(map(identifier, self.columns)))


@dataclass(frozen=True, slots=True)
class Sliced:
    """A relation that has been cut.

    Attributes:
        leaf: The relation; its pages are slices.
        key: By what.
        within: True for a row of the slices ``first`` to before ``end``, which are placeholders.
    """

    leaf: Leaf
    key: Key
    within: sql.Composable


def stored(connection: psycopg.Connection, change: str, leaf: Leaf) -> Sliced | None:
    """The slices of a relation, where it has been cut."""
    row = connection.execute(QUERIES["stored"], {"change": change, "relation": leaf.oid}).fetchone()
    if row is None:
        return None
    key, slices = Key(tuple(row[0]), tuple(row[1])), int(row[2])
    return Sliced(replace(leaf, pages=slices), key, _within(change, leaf, key, slices))


def _within(change: str, leaf: Leaf, key: Key, slices: int) -> sql.Composed:
    casts = sql.SQL(", ").join(
        sql.SQL("low[{}]::{}").format(number, sql.SQL(escaped(of))) for number, of in enumerate(key.types, 1)
    )

    def low(number: str) -> sql.Composed:
        return sql.SQL(
            "(SELECT {casts} FROM expandcontract.slice"
            " WHERE change = {change} AND relation = {relation} AND number = {number})"
        ).format(casts=casts, change=_literal(change), relation=leaf.oid, number=sql.SQL(number))

    # where an end is open its half is true as soon as the numbers are known, and the key's index is used for the other
    return sql.SQL("({first} <= 0 OR {key} >= {low}) AND ({end} >= {slices} OR {key} < {high})").format(
        first=sql.SQL(FIRST), end=sql.SQL(END), key=key.row, low=low(FIRST), high=low(END), slices=slices
    )


def _literal(text: str) -> sql.Literal:
    return sql.Literal(escaped(text))


def make(
    connection: psycopg.Connection,
    change: str,
    work: Work,
    leaves: Iterable[Leaf],
    keys: MappingABC[str, Sequence[str]],
) -> None:
    """Cut what is no heap table and has not been cut, within the caller's transaction.

    Reads every key once; takes ACCESS SHARE.

    Args:
        connection: In a transaction.
        change: The change.
        work: What is to be filled.
        leaves: The relations with its rows.
        keys: The columns to go by, by ``schema.table``; otherwise by the primary key.

    Raises:
        BackfillError: A relation cannot be cut; all are named, with what is missing.
    """
    odd = [leaf for leaf in leaves if not leaf.is_heap]
    amiss: list[str] = []
    found: dict[int, Key] = {}
    for leaf in odd:
        key = _key(connection, leaf, keys)
        why = key if isinstance(key, str) else _beyond(work)
        if why:
            amiss.append(f"{leaf.schema}.{leaf.name} ({leaf.method}) {why}")
        elif isinstance(key, Key):
            found[leaf.oid] = key
    if amiss:
        msg = f"what is no heap table is filled by key, and {'; '.join(amiss)}"
        hint = f"give it a primary key, name its key under [backfill.keys], or detach it from {work.table}"
        raise BackfillError(msg, hint=hint)
    for leaf in odd:
        if stored(connection, change, leaf) is None:
            _cut(connection, change, leaf, found[leaf.oid])


def _beyond(work: Work) -> str:
    """Why such work needs heap pages; empty where it does not."""
    if isinstance(work, Mapping) or (isinstance(work, Fill) and work.by_row):
        return ""
    return "cannot be filled from other tables, by a function, or into another table"


def _key(connection: psycopg.Connection, leaf: Leaf, keys: MappingABC[str, Sequence[str]]) -> Key | str:
    """The key, or what is amiss with it."""
    wanted = list(keys.get(f"{leaf.schema}.{leaf.name}", ()))
    rows = connection.execute(QUERIES["key"], {"relation": leaf.oid, "wanted": wanted}).fetchall()
    columns = tuple(str(row[0]) for row in rows)
    if not columns or (wanted and columns != tuple(wanted)):
        if wanted:
            return f"has no column {next(name for name in wanted if name not in columns)}, which backfill.keys names"
        return "has no primary key, and backfill.keys names none"
    loose = [str(name) for name, _, not_null, _ in rows if not not_null]
    if loose:
        return f"may have no {loose[0]}, which is its key: ALTER TABLE … ALTER COLUMN … SET NOT NULL"
    if leaf.is_foreign and any(ordered_there for *_, ordered_there in rows):
        return "has a key of text, which another server may put in another order: name numbers, dates or a uuid"
    return Key(columns, tuple(str(row[1]) for row in rows))


def _cut(connection: psycopg.Connection, change: str, leaf: Leaf, key: Key) -> None:
    given = {"change": change, "relation": leaf.oid, "columns": list(key.columns), "types": list(key.types)}
    connection.execute(QUERIES["begin"], given)
    # JSON writes a value in one form, whatever the session's DateStyle and the like
    low = sql.SQL(", ").join(sql.SQL("to_jsonb({}) #>> '{{}}'").format(identifier(name)) for name in key.columns)
    order = sql.SQL(", ").join(map(identifier, key.columns))
    connection.execute("SELECT set_config('statement_timeout', %s, true)", [LONGEST_CUT])
    connection.execute(
        CUT.format(order=order, low=low, table=identifier(leaf.schema, leaf.name)), {**given, "rows": ROWS}
    )


def said(connection: psycopg.Connection, change: str, relation: int, first: int, end: int) -> str:
    """Slices ``first`` to before ``end`` in words: ``keys from (100) to before (900)``."""
    given = {"change": change, "relation": relation, "first": first, "end": end}
    row = connection.execute(QUERIES["bounds"], given).fetchone()
    low, high = row or (None, None)
    parts = [f"from ({', '.join(low)})" if low and first > 0 else "", f"to before ({', '.join(high)})" if high else ""]
    return " ".join(["keys", *filter(None, parts)]) if any(parts) else "all keys"
