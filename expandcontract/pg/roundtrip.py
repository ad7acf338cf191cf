"""The round trip of a mapping on the rows that there are: ``reverse(forward(x)) = x``, and both can be computed.

A sample of every part of the table is looked at first, so that a wrong expression is found at once; then page after
page until these were all or the time is up. A temporary function computes one row as the triggers will, so that a row
on which an expression fails is shown and does not end the comparison. Takes ACCESS SHARE; nothing is left behind.
https://www.postgresql.org/docs/current/sql-select.html#SQL-FROM (TABLESAMPLE)
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from types import MappingProxyType
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text

from expandcontract.core.duration import in_words
from expandcontract.pg.catalog import columns, leaves, table_oid
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Mapping as MappingABC

    from sqlalchemy import Connection

    from expandcontract.core.mapping import Mapping
    from expandcontract.pg.catalog import Leaf

QUERIES = load("expandcontract.pg", "roundtrip.sql")
SAMPLE = 10_000  # rows
LIMIT = timedelta(seconds=5)
STEP = 200  # pages a statement, so that the limit is kept
SHOWN = 5
LONGEST = 60  # characters shown of a value

# what has no equality, and json, which is the same value however it is spelled
COMPARED_AS = MappingProxyType({"json": "jsonb", "xml": "text", "point": "text", "polygon": "text", "box": "text"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A row that does not come back, or on which an expression fails.

    Attributes:
        key: The primary key, as ``id 7``, or where the row is.
        value: The old columns.
        forward: What they give; empty where that failed.
        back: What that gives; empty where that failed.
        error: What PostgreSQL said; empty where the row only comes back as another.
    """

    key: str
    value: str
    forward: str
    back: str
    error: str

    def __str__(self) -> str:
        if self.error:
            return f"{self.key}: {self.value} fails: {self.error}"
        return f"{self.key}: {self.value} gives {self.forward}, and that gives back {self.back}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """What was found.

    Attributes:
        compared: Rows looked at.
        whole: Whether these were all rows.
        changed: Rows that come back as others.
        failed: Rows on which an expression fails, or that leave a column NULL that may not be.
        rows: The first of both.
    """

    compared: int = 0
    whole: bool = False
    changed: int = 0
    failed: int = 0
    rows: tuple[Broken, ...] = ()

    @property
    def extent(self) -> str:
        """How much was looked at, in words."""
        if self.whole:
            return f"all {self.compared} rows"
        return f"{self.compared} rows (a sample, and what could be read in {in_words(LIMIT)})"


def round_trip(
    connection: Connection,
    mapping: Mapping,
    types: MappingABC[str, str],
    *,
    not_null: frozenset[str] = frozenset(),
    limit: timedelta = LIMIT,
) -> RoundTrip:
    """Send existing rows forward and back.

    Args:
        connection: To a database that has the old columns; in a transaction that is left as it was.
        mapping: Checked already, so that both sides parse.
        types: Of the new columns.
        not_null: New columns that may not be NULL.
        limit: How long to go on after the sample.
    """
    known = {column.name: column.type for column in columns(connection, mapping.table)}
    kinds = {name: known[name] for name in mapping.old} | {name: types[name] for name in mapping.new}
    savepoint = connection.begin_nested()
    try:
        for statement in _function(mapping, kinds, not_null):
            _run(connection, statement)
        return _compare(connection, mapping, _key(connection, mapping), limit)
    finally:
        savepoint.rollback()


def told(mapping: Mapping, found: RoundTrip) -> tuple[str, str]:
    """What is wrong with the mapping on the rows that there are, with the first of them, and what to do; else empty."""
    listed = "".join(f"\n  {row}" for row in found.rows)
    if found.failed:
        what = f"the mapping of {mapping.table} cannot be computed for {found.failed} of {found.extent}:{listed}"
        return what, "mend the expression or the rows, then run the same command again"
    if found.changed and not mapping.lossy:
        what = f"the mapping of {mapping.table} does not lead back for {found.changed} of {found.extent}:{listed}"
        return what, "mend the expressions, or declare that this may be lost: --lossy, lossy=True"
    return "", ""


def _key(connection: Connection, mapping: Mapping) -> tuple[str, ...]:
    query = text(QUERIES["key"])
    return tuple(connection.execute(query, {"oid": table_oid(connection, mapping.table)}).scalars()) or ("ctid",)


def _compare(connection: Connection, mapping: Mapping, key: tuple[str, ...], limit: timedelta) -> RoundTrip:
    found = leaves(connection, mapping.table)
    counted = sum(leaf.rows for leaf in found)
    sampled = RoundTrip()
    if counted > SAMPLE:
        for leaf in found:
            share = sql.SQL("TABLESAMPLE SYSTEM ({})").format(min(100.0, 100 * SAMPLE / counted))
            sampled = _with(connection, _query(mapping, key, leaf, share), sampled)
        if sampled.rows:
            return sampled
    deadline = time.monotonic() + limit.total_seconds()
    so_far = RoundTrip()
    for leaf, pages in _pages(found):
        if time.monotonic() > deadline:
            return so_far if so_far.compared > sampled.compared else sampled
        so_far = _with(connection, _query(mapping, key, leaf, pages), so_far)
    return replace(so_far, whole=True)


def _pages(found: Sequence[Leaf]) -> Iterator[tuple[Leaf, sql.Composed]]:
    between = sql.SQL("WHERE ctid >= {}::tid AND ctid < {}::tid")
    for leaf in found:
        for first in range(0, leaf.pages + 1, STEP):
            end = first + STEP if first + STEP <= leaf.pages else 2**32 - 2
            yield leaf, between.format(f"({first},0)", f"({end},0)")


def _with(connection: Connection, query: sql.Composed, before: RoundTrip) -> RoundTrip:
    row = connection.exec_driver_sql(query.as_string().replace("%", "%%")).one()
    rows = tuple(Broken(**{name: value or "" for name, value in found.items()}) for found in row.rows or ())
    return RoundTrip(
        compared=before.compared + row.compared,
        changed=before.changed + row.changed,
        failed=before.failed + row.failed,
        rows=(*before.rows, *rows)[:SHOWN],
    )


def _query(mapping: Mapping, key: tuple[str, ...], leaf: Leaf, which: sql.Composed) -> sql.Composed:
    return sql.SQL(
        "SELECT count(*) AS compared, count(*) FILTER (WHERE changed) AS changed,"
        " count(*) FILTER (WHERE error <> '') AS failed,"
        " (array_agg(jsonb_build_object('key', key, 'value', value, 'forward', forward, 'back', back, 'error', error))"
        " FILTER (WHERE changed OR error <> ''))[1:{shown}] AS rows"
        " FROM (SELECT {key} AS key, {value} AS value, tried.* FROM (SELECT ctid, * FROM ONLY {leaf} {which}) AS given,"
        " LATERAL pg_temp.expandcontract_round_trip({arguments}) AS tried) AS found"
    ).format(
        shown=SHOWN,
        key=_said(key, "given"),
        value=_said(mapping.old, "given"),
        leaf=sql.Identifier(leaf.schema, leaf.name),
        which=which,
        arguments=sql.SQL(", ").join(sql.Identifier("given", name) for name in mapping.old),
    )


def _said(names: Sequence[str], owner: str) -> sql.Composed:
    return _values({name: sql.Identifier(owner, name) for name in names})


def _values(values: MappingABC[str, sql.Identifier]) -> sql.Composed:
    """Each name with its value, as text."""
    parts = (
        sql.SQL("{} || ' ' || left(quote_nullable({}::text), {})").format(name, value, LONGEST)
        for name, value in values.items()
    )
    return sql.SQL("concat_ws(', ', {})").format(sql.SQL(", ").join(parts))


def _function(
    mapping: Mapping, kinds: MappingABC[str, str], not_null: frozenset[str]
) -> tuple[sql.Composed | sql.SQL, ...]:
    """A table that lends its types to the variables, and the function that computes one row."""
    listed = (sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in kinds.items())
    arguments = (sql.SQL("{} {}").format(_variable(name, "given"), sql.SQL(kinds[name])) for name in mapping.old)
    declared = [
        sql.SQL("{} expandcontract_types.{}%TYPE;").format(_variable(name, side), sql.Identifier(name))
        for names, side in ((mapping.new, "gives"), (mapping.old, "back"))
        for name in names
    ]
    body = sql.SQL(BODY).format(
        declared=sql.SQL(" ").join(declared),
        forward=_assigned(mapping, mapping.forward, mapping.old, "given", "gives"),
        reverse=_assigned(mapping, mapping.reverse, mapping.new, "gives", "back"),
        gives=_shown(mapping.new, "gives"),
        back=_shown(mapping.old, "back"),
        empty=sql.SQL("").join(map(_refused_null, sorted(not_null))),
        changed=sql.SQL(" OR ").join(_differ(name, kinds[name]) for name in mapping.old),
    )
    create = sql.SQL(
        "CREATE FUNCTION pg_temp.expandcontract_round_trip({}, OUT forward text, OUT back text, OUT changed boolean,"
        " OUT error text) LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS {}"
    )
    return (
        sql.SQL("SET LOCAL row_security = off"),
        sql.SQL("CREATE TEMP TABLE expandcontract_types ({})").format(sql.SQL(", ").join(listed)),
        create.format(sql.SQL(", ").join(arguments), body.as_string()),
    )


BODY = """
#variable_conflict use_column
DECLARE {declared}
BEGIN
    changed := false;
    {forward}
    forward := {gives};
    {empty}
    {reverse}
    back := {back};
    changed := {changed};
EXCEPTION WHEN OTHERS THEN
    error := SQLERRM;
END
"""


def _variable(name: str, side: str) -> sql.Identifier:
    return sql.Identifier(f"expandcontract_{side}_{sha256(name.encode()).hexdigest()[:12]}")


def _assigned(
    mapping: Mapping, side: MappingABC[str, str], given: Sequence[str], source: str, target: str
) -> sql.Composed:
    columns_ = (sql.SQL("{} AS {}").format(_variable(name, source), sql.Identifier(name)) for name in given)
    return sql.SQL("SELECT {} INTO {} FROM (SELECT {}) AS {};").format(
        sql.SQL(", ").join(sql.SQL("({})").format(sql.SQL(expression)) for expression in side.values()),
        sql.SQL(", ").join(_variable(name, target) for name in side),
        sql.SQL(", ").join(columns_),
        sql.Identifier(mapping.table.name),
    )


def _shown(names: Sequence[str], side: str) -> sql.Composed:
    return _values({name: _variable(name, side) for name in names})


def _refused_null(name: str) -> sql.Composed:
    return sql.SQL("IF {} IS NULL THEN error := {}; RETURN; END IF;").format(
        _variable(name, "gives"), f"{name} is NULL, and shall be NOT NULL"
    )


def _differ(name: str, kind: str) -> sql.Composed:
    compared = sql.SQL(f"::{COMPARED_AS[kind]}" if kind in COMPARED_AS else "")
    return sql.SQL("({a}{as_} IS DISTINCT FROM {b}{as_})").format(
        a=_variable(name, "given"), b=_variable(name, "back"), as_=compared
    )


def _run(connection: Connection, statement: sql.Composed | sql.SQL) -> None:
    connection.exec_driver_sql(statement.as_string().replace("%", "%%"))
