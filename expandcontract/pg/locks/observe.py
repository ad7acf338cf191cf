"""Runs one statement and tells what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.pg.locks.parse import is_transactional
from expandcontract.pg.locks.relay import observe_outside
from expandcontract.pg.locks.watch import watch

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.core.effect import Effect


def observe(connection: Connection, statement: str) -> Effect:
    """Run one statement on a scratch database and tell what it did.

    A statement that can run in a transaction runs in the connection's own, which the caller ends; locks that this held
    before are not told again (``watch`` tells both). One that cannot is run in a session of its own, and committed: it
    sees only what is committed, so what the connection's own transaction did so far is rolled back.

    Args:
        connection: To the scratch database. Never a live one: all tables may be locked meanwhile.
        statement: One statement.

    Raises:
        sqlalchemy.exc.DBAPIError: PostgreSQL refused it.
        FailedError: One that runs outside a transaction failed.
    """
    if not is_transactional(statement):
        return observe_outside(connection, statement)
    with watch(connection, statement) as seen:
        connection.exec_driver_sql(statement.replace("%", "%%"))
    return seen.effect
