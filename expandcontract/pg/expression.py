"""Checks of a mapping's SQL expressions, before anything is changed.

An index expression must be immutable and may hold no subquery or aggregate; PostgreSQL itself is asked, on an empty
temporary table that has just the columns allowed. https://www.postgresql.org/docs/current/xfunc-volatility.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.errors import MappingError
from expandcontract.pg.catalog import Column, columns

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingABC

    from sqlalchemy import Connection

    from expandcontract.core.mapping import Mapping
    from expandcontract.core.shape import Fill, Shape


def check(connection: Connection, shape: Shape) -> None:
    """Make sure that every expression of the shape can be used; leaves nothing behind.

    Raises:
        MappingError: With the expression, and what PostgreSQL says of it.
        UnknownNameError: A table does not exist.
    """
    for mapping in shape.mappings:
        check_mapping(connection, mapping)
    for fill in shape.fills:
        check_fill(connection, fill)


def check_fill(connection: Connection, fill: Fill) -> None:
    """Make sure that a fill's expressions and condition parse over the table's own columns; they may be volatile.

    Columns that do not exist yet may be filled, not read.

    Raises:
        MappingError: With the expression, and what PostgreSQL says of it.
        UnknownNameError: The table does not exist.
    """
    known = {column.name for column in columns(connection, fill.table)}
    place = sql.Identifier(fill.table.schema, fill.table.name)
    expressions = dict(fill.values)
    if fill.where is not None and known.issuperset(fill.values):
        expressions["its condition"] = fill.where
    for name, expression in expressions.items():
        savepoint = connection.begin_nested()
        probe = sql.SQL("CREATE TEMP TABLE expandcontract_probe AS SELECT ({}) AS found FROM {} AS {} WHERE false")
        try:
            alias = sql.Identifier(fill.table.name)
            _run(connection, probe.format(sql.SQL(expression), place, alias))
        except DBAPIError as exc:
            msg = f"the expression for {name} ({expression}): {_reason(exc)}"
            raise MappingError(msg, hint="it may read only columns of the same row") from exc
        finally:
            savepoint.rollback()


def check_mapping(connection: Connection, mapping: Mapping) -> None:
    """Make sure that both sides parse, are immutable and read only the other side's columns. Leaves nothing behind.

    New columns that do not exist yet are taken to have the type that their forward expression yields.

    Raises:
        MappingError: With the expression, and what PostgreSQL says of it.
        UnknownNameError: The table does not exist.
    """
    known = {column.name: column for column in columns(connection, mapping.table)}
    missing = [name for name in mapping.old if name not in known]
    if missing:
        msg = f"the mapping names {', '.join(missing)}, which {mapping.table} does not have"
        raise MappingError(msg, hint="ec status")
    old = {name: known[name].type for name in mapping.old}
    new = _check_side(connection, old, mapping.forward, known)
    _check_side(connection, new, mapping.reverse, known)


def _check_side(
    connection: Connection, given: MappingABC[str, str], wanted: MappingABC[str, str], known: MappingABC[str, Column]
) -> dict[str, str]:
    types = {}
    for name, expression in wanted.items():
        savepoint = connection.begin_nested()
        try:
            types[name] = _check(connection, given, name, expression, known)
        except DBAPIError as exc:
            msg = f"the expression for {name} ({expression}): {_reason(exc)}"
            raise MappingError(
                msg,
                hint="it may read only the other side's columns of the same row, through immutable functions",
            ) from exc
        finally:
            savepoint.rollback()
    return types


def _check(
    connection: Connection, given: MappingABC[str, str], name: str, expression: str, known: MappingABC[str, Column]
) -> str:
    listed = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in given.items()
    )
    probe = sql.Identifier("pg_temp", "expandcontract_probe")
    _run(connection, sql.SQL("CREATE TEMP TABLE expandcontract_probe ({})").format(listed))
    _run(
        connection,
        sql.SQL("CREATE VIEW pg_temp.expandcontract_probed AS SELECT ({}) AS found FROM {}").format(
            sql.SQL(expression), probe
        ),
    )
    _run(connection, sql.SQL("CREATE INDEX ON {} ((({}) IS NULL))").format(probe, sql.SQL(expression)))
    found = connection.execute(
        text(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'pg_temp.expandcontract_probed'::regclass AND attname = 'found'"
        )
    ).scalar_one()
    if name in known:
        wanted = sql.SQL("CREATE TEMP TABLE expandcontract_target (target {})").format(sql.SQL(known[name].type))
        _run(connection, wanted)
        _run(connection, sql.SQL("INSERT INTO expandcontract_target SELECT found FROM pg_temp.expandcontract_probed"))
        return known[name].type
    return str(found)


def _run(connection: Connection, statement: sql.Composed | sql.SQL) -> None:
    connection.exec_driver_sql(statement.as_string().replace("%", "%%"))


def _reason(exc: DBAPIError) -> str:
    said = str(exc.orig).splitlines()[0] if exc.orig else "it cannot be used"
    if "IMMUTABLE" in said:
        return "it is volatile, or its value depends on settings; the same row must always give the same value"
    return said
