"""Holds each statement of a revision to the limits of the attempt that runs it, whatever driver the project uses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from expandcontract.pg import witness
from expandcontract.pg.attempt import CONCURRENT, Attempt, Doomed
from expandcontract.pg.build import in_the_way, parsed, sweep
from expandcontract.pg.connect import hot

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection


def keep_limits(connection: Connection, attempt: Attempt, url: URL) -> None:
    """From now on every statement of ``connection`` is given its limits first; ``attempt`` learns the backend.

    One round trip a statement more. In a transaction the limits go with it; outside of one, where a concurrent build
    runs, they last until the next statement. A concurrent build does not begin beside what it would wait for; what an
    earlier one left invalid under its name is dropped first.

    Args:
        connection: Alembic's.
        attempt: Its limits.
        url: The target database, for looking who is in the way.
    """

    def before(connection: Connection, cursor: Any, statement: str, *_: object) -> None:
        del cursor  # it is the statement's own
        if CONCURRENT.match(statement):
            _prepare(attempt, url, statement)
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
    witness.attach(connection)


def _prepare(attempt: Attempt, url: URL, statement: str) -> None:
    with hot(url, command="locks") as eye:
        index = parsed(eye, statement)
        if index is None:
            return
        if found := in_the_way(eye, index, attempt.patience):
            raise Doomed(found)
    sweep(url, index)
    attempt.building.append(index)
