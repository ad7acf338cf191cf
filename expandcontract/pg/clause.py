"""SQL that a user gives: one expression, a rule over a row, a value for a column. Asked of PostgreSQL, changes nothing.

A rule is tried as a CHECK and as an index expression of an empty temporary copy of the table, under the table's own
name, so that it may be spelled with it. https://www.postgresql.org/docs/current/ddl-constraints.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.errors import MappingError
from expandcontract.pg.parsed import single

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table
    from expandcontract.pg.catalog import Column

HINT = "it may read only columns of the same row, through immutable functions"


def rule(connection: Connection, table: Table, expression: str) -> tuple[str, ...]:
    """The columns that a rule is about.

    Raises:
        MappingError: It cannot be a CHECK of the table, its truth may change by itself, or it is about no column.
    """
    single("the rule", expression)
    copy = sql.Identifier("pg_temp", table.name)
    savepoint = connection.begin_nested()
    try:
        source = sql.Identifier(table.schema, table.name)
        _run(connection, sql.SQL("CREATE TEMP TABLE {} (LIKE {})").format(sql.Identifier(table.name), source))
        _run(
            connection,
            sql.SQL("ALTER TABLE {} ADD CONSTRAINT expandcontract CHECK ({})").format(copy, sql.SQL(expression)),
        )
        _run(connection, sql.SQL("CREATE INDEX ON {} ((({}) IS NULL))").format(copy, sql.SQL(expression)))
        query = text(
            "SELECT a.attname::text FROM pg_constraint AS c JOIN pg_attribute AS a ON a.attrelid = c.conrelid"
            " AND a.attnum = ANY (c.conkey) WHERE c.conrelid = to_regclass(:copy) AND c.conname = 'expandcontract'"
            " ORDER BY a.attnum"
        )
        found = tuple(connection.execute(query, {"copy": copy.as_string()}).scalars())
    except DBAPIError as exc:
        msg = f"the rule ({expression}): {reason(exc)}"
        raise MappingError(msg, hint=HINT) from exc
    finally:
        savepoint.rollback()
    if not found:
        msg = f"the rule ({expression}) is about no column of {table}"
        raise MappingError(msg, hint=HINT)
    return found


def value(connection: Connection, table: Table, column: Column, expression: str, *, alone: bool = False) -> None:
    """Make sure that an expression gives the column a value.

    Args:
        connection: Its temporary schema is written to and rolled back.
        table: The column's table.
        column: The column.
        expression: As the user wrote it; may be volatile.
        alone: It may read no column, as a default.

    Raises:
        MappingError: It does not parse, reads what it may not, or has another type.
    """
    single(f"the value of {column.name}", expression)
    copy = sql.Identifier("expandcontract_value")
    source = sql.SQL("") if alone else sql.SQL(" FROM {} AS {}").format(_place(table), sql.Identifier(table.name))
    savepoint = connection.begin_nested()
    try:
        _run(connection, sql.SQL("CREATE TEMP TABLE {} (value {})").format(copy, sql.SQL(column.type)))
        take = sql.SQL("INSERT INTO pg_temp.{} SELECT ({}){} WHERE false")
        _run(connection, take.format(copy, sql.SQL(expression), source))
        if alone:  # aggregates, windows and subqueries are refused as PostgreSQL itself refuses them
            alter = sql.SQL("ALTER TABLE pg_temp.{} ALTER COLUMN value SET DEFAULT ({})")
            _run(connection, alter.format(copy, sql.SQL(expression)))
    except DBAPIError as exc:
        msg = f"the value of {column.name} ({expression}): {reason(exc)}"
        raise MappingError(
            msg, hint="a default reads no column" if alone else "it may read only columns of the same row"
        ) from exc
    finally:
        savepoint.rollback()


def reason(exc: DBAPIError) -> str:
    """What PostgreSQL says, in a line."""
    said = str(exc.orig).splitlines()[0] if exc.orig else "it cannot be used"
    if "IMMUTABLE" in said:
        return "it is volatile, or its value depends on settings; the same row must always give the same value"
    return said


def _place(table: Table) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)


def _run(connection: Connection, statement: sql.Composed) -> None:
    connection.exec_driver_sql(statement.as_string().replace("%", "%%"))
