"""Statements that try something out and leave nothing behind: the caller rolls their savepoint back."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from psycopg import sql
    from sqlalchemy import Connection
    from sqlalchemy.exc import DBAPIError


def run(connection: Connection, statement: sql.Composed | sql.SQL) -> None:
    """Run a composed statement as it stands, per cent signs included."""
    connection.exec_driver_sql(statement.as_string().replace("%", "%%"))


def reason(exc: DBAPIError) -> str:
    """What PostgreSQL says, in one line."""
    return str(exc.orig).splitlines()[0] if exc.orig else "it cannot be used"
