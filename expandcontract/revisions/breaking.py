"""Rows that break a rule which is to come, counted and shown before anybody is held to it. Takes ACCESS SHARE."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql

from expandcontract.pg.connect import hot
from expandcontract.revisions.operations import SealConstraint, SealForeignKey, SealItem, SealNotNull, SealUnique
from expandcontract.revisions.seal import relation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import URL, Connection

SHOWN = 20
ALIAS = sql.Identifier("row")
KEY = """SELECT a.attname::text FROM pg_index AS x
    CROSS JOIN LATERAL unnest(x.indkey) WITH ORDINALITY AS k (attnum, place)
    JOIN pg_attribute AS a ON a.attrelid = x.indrelid AND a.attnum = k.attnum
    WHERE x.indisprimary AND k.place <= x.indnkeyatts AND x.indrelid = to_regclass({}) ORDER BY k.place"""


@dataclass(frozen=True, slots=True)
class Breaking:
    """What of a table breaks a rule.

    Attributes:
        rows: How many rows; of a unique constraint, those beyond the first of each value.
        first: The first 20: ``(id)=(7)`` by primary key, or ``ctid (0,1)`` where there is none; of a unique
            constraint, the values and how many rows have each.
    """

    rows: int
    first: tuple[str, ...]


def count(url: URL, item: SealItem) -> int:
    """How many rows break the item now; 0 for what no row can break. A scan of the table."""
    broken = _broken(item)
    if broken is None:
        return 0
    with hot(url, command="verify") as connection:
        connection.execute("SET row_security = off")
        row = connection.execute(broken.count()).fetchone()
    return int(row[0]) if row else 0


def look(url: URL, item: SealItem) -> Breaking:
    """How many rows break the item now, and which are the first. A scan of the table, two where any does."""
    with hot(url, command="verify") as connection:
        connection.execute("SET row_security = off")
        return _look(item, lambda query: connection.execute(query).fetchall())


def look_within(connection: Connection, item: SealItem) -> Breaking:
    """As :func:`look`, in the transaction of ``connection``."""
    connection.exec_driver_sql("SET LOCAL row_security = off")
    return _look(item, lambda query: connection.exec_driver_sql(query.as_string().replace("%", "%%")).fetchall())


def _look(item: SealItem, run: Callable[[sql.Composed], Sequence[Sequence[Any]]]) -> Breaking:
    broken = _broken(item)
    rows = int(run(broken.count())[0][0]) if broken else 0
    if broken is None or not rows:
        return Breaking(rows, ())
    key = run(sql.SQL(KEY).format(sql.Literal(relation(item.table).as_string())))
    return Breaking(rows, tuple(row[0] for row in run(broken.sample([row[0] for row in key]))))


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of a table that fulfil a condition over the columns of ``row``."""

    table: sql.Composable
    where: sql.Composable
    shown: tuple[str, ...] = ()

    def count(self) -> sql.Composed:
        return sql.SQL("SELECT count(*) FROM {} AS {} WHERE {}").format(self.table, ALIAS, self.where)

    def sample(self, key: Sequence[str]) -> sql.Composed:
        named = [_told(names) for names in (tuple(key), self.shown) if names]
        if not key:
            named.insert(0, sql.SQL("'ctid ' || {}.ctid").format(ALIAS))
        query = sql.SQL("SELECT {} FROM {} AS {} WHERE {} LIMIT {}")
        return query.format(sql.SQL(" || ': ' || ").join(named), self.table, ALIAS, self.where, sql.Literal(SHOWN))


@dataclass(frozen=True, slots=True)
class _Doubles:
    """Values that several rows have."""

    table: sql.Composable
    columns: tuple[str, ...]
    where: sql.Composable

    def _groups(self) -> sql.Composed:
        keys = sql.SQL(", ").join(_column(name) for name in self.columns)
        query = sql.SQL("FROM {} AS {} WHERE {} GROUP BY {} HAVING count(*) > 1")
        return query.format(self.table, ALIAS, self.where, keys)

    def count(self) -> sql.Composed:
        query = sql.SQL("SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n {}) AS doubled")
        return query.format(self._groups())

    def sample(self, key: Sequence[str]) -> sql.Composed:
        del key  # the value says more than the key of one of its rows
        query = sql.SQL("SELECT {} || ' in ' || count(*) || ' rows' {} ORDER BY count(*) DESC LIMIT {}")
        return query.format(_told(self.columns), self._groups(), sql.Literal(SHOWN))


def _column(name: str) -> sql.Composed:
    return sql.SQL("{}.{}").format(ALIAS, sql.Identifier(name))


def _told(names: Sequence[str]) -> sql.Composed:
    """An expression that gives ``(a, b)=(1, 2)``."""
    values = sql.SQL(" || ', ' || ").join(sql.SQL("coalesce({}::text, 'null')").format(_column(name)) for name in names)
    return sql.SQL("{} || {} || ')'").format(sql.Literal(f"({', '.join(names)})=("), values)


def _broken(item: SealItem) -> _Rows | _Doubles | None:
    table = relation(item.table)
    match item:
        case SealNotNull():
            return _Rows(table, sql.SQL("{} IS NULL").format(_column(item.column)))
        case SealForeignKey():
            return _orphans(item)
        case SealConstraint() if item.definition.startswith("CHECK "):
            return _breaks_check(item)
        case SealUnique():
            where = _all_known(item.columns)
            return _Doubles(table, item.columns, sql.SQL("true") if item.nulls_not_distinct else where)
        case _:
            return None


def _breaks_check(item: SealConstraint) -> _Rows:
    # a whole-row alias would hide a column of the same name, so the expression sees the table's own name
    condition = sql.SQL(item.definition.removeprefix("CHECK "))
    broken = sql.SQL("(SELECT {name}.*, {name}.ctid FROM {table} AS {name} WHERE NOT {condition})")
    name = sql.Identifier(item.table.name)
    return _Rows(broken.format(name=name, table=relation(item.table), condition=condition), sql.SQL("true"))


def _all_known(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(_column(name)) for name in columns)


def _orphans(item: SealForeignKey) -> _Rows:
    """Rows whose partner is missing; with MATCH FULL, also those that are NULL in part."""
    other = sql.Identifier("partner")
    pairs = zip(item.columns, item.target_columns, strict=True)
    equal = sql.SQL(" AND ").join(
        sql.SQL("{}.{} = {}").format(other, sql.Identifier(theirs), _column(mine)) for mine, theirs in pairs
    )
    missing = sql.SQL("({} AND NOT EXISTS (SELECT FROM {} AS {} WHERE {}))").format(
        _all_known(item.columns), relation(item.target), other, equal
    )
    if " MATCH FULL" in item.definition:
        missing += sql.SQL(" OR num_nulls({}) BETWEEN 1 AND {}").format(
            sql.SQL(", ").join(map(_column, item.columns)), sql.Literal(len(item.columns) - 1)
        )
    return _Rows(relation(item.table), missing, item.columns)
