"""A long statement on a connection of its own, so that its caller can tell how it goes and stop it."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

import psycopg

from expandcontract.pg import witness
from expandcontract.pg.connect import hot

if TYPE_CHECKING:
    from datetime import timedelta
    from typing import Self

    from psycopg import sql
    from sqlalchemy import URL

CANCEL_S = 10.0


class Background:
    """Runs one statement in autocommit mode, without ``lock_timeout``, with a deadline. Leaving it stops it.

    Args:
        url: The target database.
        command: Shown in ``application_name``.
        statement: What to run.
        deadline: The server stops it after so long.
    """

    def __init__(self, url: URL, command: str, statement: sql.SQL | sql.Composed, deadline: timedelta) -> None:
        self._connection = hot(url, command=command)
        self._connection.execute("SET lock_timeout = 0")
        milliseconds = int(deadline.total_seconds() * 1000)
        self._connection.execute("SELECT set_config('statement_timeout', %s, false)", (f"{milliseconds}ms",))
        self._statement = statement
        self._over = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"ec {command}", daemon=True)
        self._witness = ExitStack()
        self.pid = self._connection.info.backend_pid

    def __enter__(self) -> Self:
        self._witness.enter_context(witness.outside(self._connection, self._statement.as_string(self._connection)))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._over.is_set():
            try:
                self._connection.cancel_safe(timeout=CANCEL_S)
            except psycopg.Error:
                self._connection.close()  # the server notices within client_connection_check_interval
        self._thread.join(CANCEL_S)
        self._witness.__exit__(type(self._error) if self._error else None, self._error, None)
        self._connection.close()

    def _run(self) -> None:
        try:
            self._connection.execute(self._statement)
        except Exception as exc:  # noqa: BLE001  # raised where the result is asked for
            self._error = exc
        finally:
            self._over.set()

    def ended(self, within: float) -> bool:
        """Whether it has ended, after waiting ``within`` seconds for that at most.

        Raises:
            psycopg.Error: It has ended with this error.
        """
        if not self._over.wait(within):
            return False
        if self._error is not None:
            raise self._error
        return True
