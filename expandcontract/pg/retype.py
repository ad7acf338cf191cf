"""Types: how PostgreSQL spells them, and what changing a column to one would do, tried on an empty temporary copy."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.mapping import Table
from expandcontract.errors import MappingError
from expandcontract.pg.parsed import is_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg
    from sqlalchemy import Connection

SPELLED = """SELECT format_type(a.atttypid, a.atttypmod) AS name, a.attcollation <> 0 AS collatable
FROM pg_attribute AS a WHERE a.attrelid = 'pg_temp.expandcontract_type'::regclass AND a.attname = 'c'"""
WORK = MappingProxyType(
    {"rewriting table": "rewrite the table", "verifying table": "read it whole", "building index": "build an index"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Type:
    """A type as ``format_type`` writes it."""

    name: str
    collatable: bool


def spelled(connection: Connection, name: str) -> Type:
    """The type as PostgreSQL spells it: ``int`` is ``integer``.

    Raises:
        MappingError: There is no such type, or the text is more than a type.
    """
    if not is_type(name):
        msg = f"{name!r} is no type"
        raise MappingError(msg, hint='write it as in CREATE TABLE: bigint, "varchar(50)", myschema.mytype')
    savepoint = connection.begin_nested()
    try:
        _run(connection, sql.SQL("CREATE TEMP TABLE expandcontract_type (c {})").format(sql.SQL(name)))
        row = connection.execute(text(SPELLED)).one()
        return Type(name=row.name, collatable=row.collatable)
    except DBAPIError as exc:
        msg = str(exc.orig).splitlines()[0]
        raise MappingError(msg, hint="\\dT in psql lists the types") from exc
    finally:
        savepoint.rollback()


def work(connection: Connection, table: Table, column: str, to: str) -> tuple[str, ...] | None:
    """What ``ALTER COLUMN … TYPE`` would do beyond the catalogue: rewrite, scan, build an index; ``None``: impossible.

    PostgreSQL says so itself, at the level DEBUG1, of a copy without rows.
    https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
    """
    savepoint = connection.begin_nested()
    said: list[str] = []
    parts = "INCLUDING INDEXES INCLUDING CONSTRAINTS INCLUDING DEFAULTS"
    create = sql.SQL("CREATE TEMP TABLE expandcontract_retyped (LIKE {} {})")
    alter = sql.SQL("ALTER TABLE pg_temp.expandcontract_retyped ALTER COLUMN {} TYPE {}")
    try:
        _run(connection, create.format(sql.Identifier(table.schema, table.name), sql.SQL(parts)))
        with _listening(connection, said):
            _run(connection, alter.format(sql.Identifier(column), sql.SQL(to)))
    except DBAPIError:
        return None
    finally:
        savepoint.rollback()
    return tuple(line for line in said if line.startswith(tuple(WORK)))


def undone(connection: Connection, table: Table, column: str, to: str) -> str:
    """What PostgreSQL would have to do to change the column back from ``to``; empty where it would only say so."""
    savepoint = connection.begin_nested()
    like = sql.SQL("CREATE TEMP TABLE expandcontract_widened (LIKE {} {})")
    parts = "INCLUDING INDEXES INCLUDING CONSTRAINTS INCLUDING DEFAULTS"
    alter = sql.SQL("ALTER TABLE pg_temp.expandcontract_widened ALTER COLUMN {} TYPE {}")
    try:
        _run(connection, like.format(sql.Identifier(table.schema, table.name), sql.SQL(parts)))
        was = _of(connection, column)
        _run(connection, alter.format(sql.Identifier(column), sql.SQL(to)))
        found = work(connection, Table(schema="pg_temp", name="expandcontract_widened"), column, was)
    finally:
        savepoint.rollback()
    if found is None:
        return "be told how, with USING"
    # a rewrite reads all rows and builds all indexes on its way
    heaviest = next((kind for kind in WORK if any(line.startswith(kind) for line in found)), None)
    return "" if heaviest is None else WORK[heaviest]


def _of(connection: Connection, column: str) -> str:
    query = text(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'pg_temp.expandcontract_widened'::regclass AND attname = :column"
    )
    return str(connection.execute(query, {"column": column}).scalar_one())


@contextmanager
def _listening(connection: Connection, said: list[str]) -> Iterator[None]:
    def hear(diagnostic: psycopg.errors.Diagnostic) -> None:
        said.append(diagnostic.message_primary or "")

    driver: psycopg.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    _run(connection, sql.SQL("SET LOCAL client_min_messages = debug1"))
    driver.add_notice_handler(hear)
    try:
        yield
    finally:
        driver.remove_notice_handler(hear)


def _run(connection: Connection, statement: sql.Composed | sql.SQL) -> None:
    connection.exec_driver_sql(statement.as_string().replace("%", "%%"))
