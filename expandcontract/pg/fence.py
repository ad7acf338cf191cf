"""Locks a login role out of the server, and lets it in again.

``NOLOGIN`` refuses new sessions only, so the ones that are open are ended after it: whoever was let in before it was
committed is among those. https://www.postgresql.org/docs/current/sql-alterrole.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.errors import FailedError
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from sqlalchemy import Connection

QUERIES = load("expandcontract.pg", "fence.sql")
PATIENCE = timedelta(seconds=5)
"""How long one session's end is waited for."""


def may_login(connection: Connection, role: str) -> bool | None:
    """Whether the role may log in now; ``None`` where there is none of that name."""
    found: bool | None = connection.execute(text(QUERIES["may_login"]), {"role": role}).scalar_one_or_none()
    return found


def set_login(connection: Connection, role: str, *, allowed: bool) -> None:
    """Let the role log in, or not; in the caller's transaction, and may run twice. Open sessions stay.

    Raises:
        FailedError: We may not alter it, or it is gone; with the statement that a superuser types.
    """
    word = "LOGIN" if allowed else "NOLOGIN"
    statement = sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(role), sql.SQL(word)).as_string()
    try:
        connection.exec_driver_sql(statement.replace("%", "%%"))
    except DBAPIError as exc:
        msg = f"role {role} could not be set to {word}: {str(exc.orig).splitlines()[0]}"
        raise FailedError(msg, hint=f"as a superuser: {statement}") from exc


def end_sessions(connection: Connection, role: str) -> tuple[int, ...]:
    """End the role's sessions in this database and wait for their end; gives the process ids of those that ended.

    Raises:
        FailedError: We may not end them.
    """
    values = {"role": role, "wait_ms": int(PATIENCE.total_seconds() * 1000)}
    try:
        rows = connection.execute(text(QUERIES["end"]), values).all()
    except DBAPIError as exc:
        msg = f"sessions of {role} could not be ended: {str(exc.orig).splitlines()[0]}"
        raise FailedError(msg, hint="as a superuser: GRANT pg_signal_backend TO the role that runs ec") from exc
    return tuple(row.pid for row in rows if row.ended)
