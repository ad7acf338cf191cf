"""Holds each statement of a revision to the limits of the attempt that runs it, whatever driver the project uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.pg.attempt import Attempt


def keep_limits(connection: Connection, attempt: Attempt) -> None:
    """From now on every statement of ``connection`` is given its limits first; ``attempt`` learns the backend.

    One round trip a statement more. In a transaction the limits go with it; outside of one, where a concurrent build
    runs, they last until the next statement.
    """

    def before(connection: Connection, cursor: Any, statement: str, *_: object) -> None:
        del cursor  # it is the statement's own
        driver: Any = connection.connection.dbapi_connection
        autocommit = bool(getattr(driver, "autocommit", False))
        if autocommit:
            attempt.begin()
        ours = driver.cursor()
        try:
            ours.execute(attempt.settings(statement, local=not autocommit))
            attempt.pid = int(ours.fetchone()[0])
        finally:
            ours.close()

    event.listen(connection, "before_cursor_execute", before)
    event.listen(connection, "begin", lambda _: attempt.begin())
