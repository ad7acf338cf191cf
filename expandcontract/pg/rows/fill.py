"""Fills tables with generated rows, or with those that a script of the user's makes.

What cannot be made is told by name: a table that stays empty, fewer rows than were asked for, triggers that were off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from expandcontract.errors import UsageError
from expandcontract.pg.queries import load
from expandcontract.pg.rows.choice import choose
from expandcontract.pg.rows.draft import draft
from expandcontract.pg.rows.model import Demands, sketch
from expandcontract.pg.rows.order import order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from expandcontract.core.mapping import Table
    from expandcontract.pg.rows.draft import Draft
    from expandcontract.pg.rows.kind import Ask
    from expandcontract.pg.rows.model import Sketch
    from expandcontract.pg.rows.order import Turn

QUERIES = load("expandcontract.pg.rows", "tables.sql")
SPARE = 1.3
MOST_TRIES = 64
"""How many times as many rows are tried as are wanted, at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A table that was to be filled.

    Attributes:
        table: Which.
        rows: How many it has now.
        notes: What is not as it was to be, and why.
    """

    table: Table
    rows: int
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping."""
        return {"table": str(self.table), "rows": self.rows, "notes": list(self.notes)}

    def __str__(self) -> str:
        return f"{self.table}: {self.rows:,} rows" + "".join(f"; {note}" for note in self.notes)


def generated(
    connection: psycopg.Connection, tables: Iterable[Table], rows: int, demands: Demands | None = None
) -> tuple[Filled, ...]:
    """Fill tables, and those that they refer to, with rows made up by type. Only for a scratch database.

    Args:
        connection: In autocommit mode.
        tables: Which; they are empty.
        rows: How many each gets.
        demands: What a change will ask of them.

    Returns:
        One item a table, those referred to first.
    """
    wanted = demands or Demands()
    found = _sketches(connection, tables, wanted)
    filled = [_fill(connection, turn, rows) for turn in order(found)]
    for item in filled:
        if item.rows:
            connection.execute(sql.SQL("ANALYZE {}").format(_relation(item.table)))
    return tuple(filled)


def by_script(connection: psycopg.Connection, script: str, tables: Iterable[Table]) -> tuple[Filled, ...]:
    """Run a script that fills the tables, in one transaction, and count what is there then.

    Raises:
        UsageError: PostgreSQL does not take it.
    """
    try:
        with connection.transaction():
            connection.execute(script)
    except psycopg.Error as exc:
        msg = f"the script of --fill failed on the scratch database, and nothing of it was kept: {_said(exc)}"
        raise UsageError(msg, hint="plain SQL is taken; no COPY FROM STDIN and no psql commands") from exc
    connection.execute("ANALYZE")
    return tuple(Filled(table=table, rows=_count(connection, table)) for table in tables)


def _ask(connection: psycopg.Connection) -> Ask:
    def ask(query: str, **values: object) -> list[Mapping[str, Any]]:
        with connection.cursor(row_factory=dict_row) as cursor:
            return list(cursor.execute(QUERIES[query], values or None).fetchall())

    return ask


def _sketches(connection: psycopg.Connection, tables: Iterable[Table], demands: Demands) -> list[Sketch]:
    """The tables and all that they refer to, as they would be with the change's rules; nothing of that stays."""
    found: dict[Table, Sketch] = {}
    with connection.transaction(force_rollback=True):
        for number, (table, rule) in enumerate(demands.rules):
            _try_rule(connection, table, f"ec_wish_{number}", rule)
        waiting = list(tables)
        while waiting:
            table = waiting.pop()
            known = None if table in found else sketch(_ask(connection), table, demands)
            if known is not None:
                found[table] = known
                waiting += [key.target for key in known.keys]
    return list(found.values())


def _try_rule(connection: psycopg.Connection, table: Table, name: str, rule: str) -> None:
    add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}").format(_relation(table), sql.Identifier(name), sql.SQL(rule))
    try:
        with connection.transaction():
            connection.execute(add)
    except psycopg.Error:
        return  # it is about a column that is not there yet, whose values the change itself makes


def _fill(connection: psycopg.Connection, turn: Turn, rows: int) -> Filled:
    table, notes = turn.sketch.table, list[str]()
    if not turn.sketch.stored:
        return Filled(table=table, rows=0, notes=("it is no table, so no rows were put into it",))
    each = math.ceil(rows / max(len(turn.sketch.leaves), 1))
    first = 1
    for leaf in turn.sketch.leaves:
        notes += _fill_leaf(connection, draft(turn, leaf), first, each)
        first += each * MOST_TRIES
    there = _count(connection, table)
    if there < rows and not notes:
        notes.append(f"no more than {there:,} of {rows:,} rows differ where they must")
    return Filled(table=table, rows=there, notes=tuple(dict.fromkeys(notes)))


def _fill_leaf(connection: psycopg.Connection, made: Draft, first: int, rows: int) -> list[str]:
    if made.lacking:
        return [f"left empty, because {why}" for why in made.lacking]
    with connection.transaction():
        chosen, unmet, share = choose(connection, made, first, rows)
    notes = [f"its rows do not satisfy {check.name}, which the change asks for" for check in unmet if check.wished]
    broken = [check.name for check in unmet if not check.wished]
    if broken or not share:
        return [*notes, f"left empty, because no generated row satisfies {', '.join(broken) or 'all its checks'}"]
    tries = min(math.ceil(rows / share * SPARE), rows * MOST_TRIES)
    checks = [check for check in made.checks if check not in unmet]
    columns = sql.SQL(", ").join(map(sql.Identifier, {**made.fixed, **chosen}))
    insert = sql.SQL(
        "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM ({}) AS r WHERE {} LIMIT {} ON CONFLICT DO NOTHING"
    ).format(
        _relation(made.leaf.table),
        columns,
        columns,
        made.rows(chosen, first, first + tries - 1),
        made.condition(checks),
        sql.Literal(rows),
    )
    return [*notes, *_insert(connection, made, insert)]


def _insert(connection: psycopg.Connection, made: Draft, insert: sql.Composed) -> list[str]:
    try:
        with connection.transaction():
            connection.execute(insert)
    except psycopg.Error as exc:
        return _insert_without_triggers(connection, insert, _said(exc))
    _count_on(connection, made)
    return []


def _insert_without_triggers(connection: psycopg.Connection, insert: sql.Composed, why: str) -> list[str]:
    """What refers elsewhere does so rightly by construction, so that nothing is lost but the table's own triggers."""
    try:
        with connection.transaction():
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute(insert)
    except psycopg.Error as exc:
        also = _said(exc)
        return [f"left empty: {why}" + ("" if also == why or "permission" in also else f"; without triggers: {also}")]
    return [f"filled with its triggers off: {why}"]


def _count_on(connection: psycopg.Connection, made: Draft) -> None:
    """Where we gave numbers ourselves, let the sequence go on behind them."""
    for column in made.sketch.columns:
        if column.numbered and column.name in made.choices:
            relation, name = _relation(made.sketch.table), sql.Identifier(column.name)
            setting = sql.SQL("SELECT setval(pg_get_serial_sequence({}, {}), max({})) FROM {}")
            given = sql.Literal(relation.as_string(connection)), sql.Literal(column.name)
            connection.execute(setting.format(*given, name, relation))


def _count(connection: psycopg.Connection, table: Table) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(_relation(table))).fetchone()
    return int(row[0]) if row else 0


def _said(exc: psycopg.Error) -> str:
    return str(exc).splitlines()[0] if str(exc) else type(exc).__name__


def _relation(table: Table) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)
