"""Records every statement that a move runs on a scratch database: its locks, rewrites and scans, and for how long.

Rules for the next editor:

1. A statement in a transaction is looked at from within: before it, and after it with its locks still held. What the
   looking takes is left out of every figure. One outside a transaction is stopped at each of its steps (``relay``).
2. A statement is recorded once its transaction has been committed. What was rolled back, to a savepoint too, was an
   attempt or a trial, and is forgotten.
3. ``kept`` is counted from a statement's begin: on a scratch database nobody is waited for, so that is when its locks
   are had.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, text

from expandcontract.core.rehearsal import Ran
from expandcontract.errors import FailedError, FencedError
from expandcontract.pg.attempt import HARMLESS
from expandcontract.pg.connect import engine, place
from expandcontract.pg.locks.relay import Steps, looking
from expandcontract.pg.locks.watch import PLANNED, QUERIES, between, moment
from expandcontract.pg.parsed import cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    import psycopg
    from sqlalchemy import URL, Connection

    from expandcontract.core.effect import Effect, Lock
    from expandcontract.pg.locks.watch import Moment, Rows

PLACEHOLDER = re.compile(r"(?<!%)%(?:\(\w+\))?s(?:::\w+)?")
BOOKS = re.compile(r"\s*(INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+expandcontract\.", re.IGNORECASE)
DURATION = "SELECT EXTRACT(epoch FROM state_change - query_start) FROM pg_stat_activity WHERE pid = :pid"
FLUSH = "SELECT pg_stat_force_next_flush()"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A statement whose transaction is still open."""

    effect: Effect
    held: tuple[Lock, ...]
    began: float
    took: float


class Recorder:
    """A witness that keeps what it sees.

    Args:
        url: The scratch database; nothing is watched elsewhere.
    """

    def __init__(self, url: URL) -> None:
        self._url, self._engine = url, engine(url, command="rehearse")
        self._ran: list[Ran] = []

    def taken(self) -> tuple[Ran, ...]:
        """What ran since the last call, in the order of the transactions' ends."""
        found = tuple(self._ran)
        self._ran.clear()
        return found

    def attach(self, connection: Connection) -> None:
        """Watch every statement of a connection.

        Raises:
            FencedError: It leads to another database than the scratch one.
        """
        self._refuse_elsewhere(connection)
        _Attached(self, connection)

    @contextmanager
    def transaction(self, connection: psycopg.Connection) -> Iterator[Callable[[str], AbstractContextManager[None]]]:
        """Around one transaction of a plain connection."""
        inside = _Transaction(_rows(connection))

        @contextmanager
        def look(statement: str) -> Iterator[None]:
            inside.before()
            yield
            inside.after(statement)

        yield look
        self._ran += inside.ended()

    @contextmanager
    def outside(self, connection: psycopg.Connection, statement: str) -> Iterator[None]:
        """Around one statement in autocommit mode."""
        with self.stepped(connection, statement):
            yield

    @contextmanager
    def stepped(self, driver: Any, statement: str) -> Iterator[None]:
        """Around one statement in autocommit mode, on a connection of any driver."""
        pid = _rows(driver)("pid")[0]["pid"]
        _execute(driver, FLUSH)  # what it has counted so far is none of this statement's
        with looking(self._engine) as look:
            steps, done = Steps(self._engine, look), Event()
            thread = Thread(target=steps.follow, args=(pid, done, statement), name="ec rehearse", daemon=True)
            thread.start()
            try:
                yield
            finally:
                done.set()
                thread.join()
            took = timedelta(seconds=float(look.execute(text(DURATION), {"pid": pid}).scalar_one()))
            _execute(driver, FLUSH)
            effect = steps.effect(statement)
        self._ran.append(Ran(effect=effect, took=took, kept=took, parts=_parts(statement), of_rows=_of_rows(statement)))

    def keep(self, ran: list[Ran]) -> None:
        """Take in what a transaction did that has been committed."""
        self._ran += ran

    def _refuse_elsewhere(self, connection: Connection) -> None:
        found, ours = connection.engine.url, self._url
        if (found.host, found.port, found.database) != (ours.host, ours.port, ours.database):
            msg = f"env.py leads to {place(found)} and not to the rehearsal's database; nothing was run there"
            raise FencedError(msg, hint="let env.py use sqlalchemy.url, or EC_DATABASE; see docs/how-to/rehearse.md")


class _Transaction:
    """The statements of one transaction, and a clock that stands while we look."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._entries: list[_Entry] = []
        self._marks: dict[str, int] = {}
        self._looked = 0.0
        self._moment: Moment | None = None
        self._began = 0.0

    def _now(self) -> float:
        return monotonic() - self._looked

    def _look(self) -> Moment:
        began = monotonic()
        found = moment(self._rows)
        self._looked += monotonic() - began
        return found

    def before(self) -> None:
        """A statement is about to be run."""
        self._moment = self._look()
        self._began = self._now()

    def after(self, statement: str) -> None:
        """It has been run."""
        assert self._moment is not None  # noqa: S101  # before() was called
        took = self._now() - self._began
        after = self._look()
        held, effect = between(_plain(statement), self._moment, after)
        self._entries.append(_Entry(effect, held, self._began, took))

    def mark(self, name: str) -> None:
        """A savepoint is made."""
        self._marks[name] = len(self._entries)

    def back_to(self, name: str) -> None:
        """A savepoint is gone back to: what came after it never was."""
        del self._entries[self._marks.pop(name, 0) :]

    def ended(self, *, kept: bool = True) -> list[Ran]:
        """The transaction is over; what it did, where it was ``kept``."""
        now, entries = self._now(), self._entries
        self._entries = []
        self._marks.clear()
        return [_ran(entry, now) for entry in entries] if kept else []


class _Attached:
    """Listens to one SQLAlchemy connection."""

    def __init__(self, recorder: Recorder, connection: Connection) -> None:
        self._recorder = recorder
        self._inside = _Transaction(self._ask)
        self._connection = connection
        self._outside: AbstractContextManager[None] | None = None
        event.listen(connection, "before_cursor_execute", self._before)
        event.listen(connection, "after_cursor_execute", self._after)
        event.listen(connection, "commit", self._committed)
        event.listen(connection, "rollback", self._rolled_back)
        event.listen(connection, "savepoint", lambda _, name: self._inside.mark(name))
        event.listen(connection, "rollback_savepoint", lambda _, name, __: self._inside.back_to(name))

    def _ask(self, query: str, **values: int) -> list[Mapping[str, Any]]:
        return _rows(_driver(self._connection))(query, **values)

    def _before(self, connection: Connection, _cursor: Any, statement: str, *_: object) -> None:
        if _unwatched(statement):
            return
        self._abandon()
        if _in_autocommit(connection):
            self._outside = self._recorder.stepped(_driver(connection), _plain(statement))
            self._outside.__enter__()
        else:
            self._inside.before()

    def _after(self, _connection: Connection, _cursor: Any, statement: str, *_: object) -> None:
        if _unwatched(statement):
            return
        if self._outside is not None:
            outside, self._outside = self._outside, None
            outside.__exit__(None, None, None)
        else:
            self._inside.after(statement)

    def _committed(self, _connection: Connection) -> None:
        self._recorder.keep(self._inside.ended())

    def _rolled_back(self, _connection: Connection) -> None:
        self._abandon()
        self._inside.ended(kept=False)

    def _abandon(self) -> None:
        """Let go of a statement that failed, of whose end nobody tells."""
        outside, self._outside = self._outside, None
        if outside is not None:
            outside.__exit__(FailedError, FailedError("the statement failed"), None)


def _ran(entry: _Entry, now: float) -> Ran:
    statement = entry.effect.statement
    return Ran(
        effect=entry.effect,
        held=entry.held,
        took=timedelta(seconds=entry.took),
        kept=timedelta(seconds=now - entry.began),
        parts=_parts(statement),
        of_rows=_of_rows(statement),
    )


def _parts(statement: str) -> tuple[str, ...]:
    return tuple(found.text for found in cut(statement)) or (statement,)


def _of_rows(statement: str) -> bool:
    return PLANNED.issuperset(found.kind for found in cut(statement))


def _plain(statement: str) -> str:
    """As a script would have it, so that it can be parsed: values that are sent apart are NULL here."""
    return PLACEHOLDER.sub("NULL", statement).replace("%%", "%")


def _unwatched(statement: str) -> bool:
    return bool(HARMLESS.match(statement) or BOOKS.match(statement))


def _driver(connection: Connection) -> Any:
    return connection.connection.dbapi_connection


def _in_autocommit(connection: Connection) -> bool:
    return bool(getattr(_driver(connection), "autocommit", False))


def _rows(driver: Any) -> Rows:
    """Runs our queries on a driver's connection, past SQLAlchemy, so that they are not watched themselves."""

    def ask(query: str, **values: int) -> list[Mapping[str, Any]]:
        statement = QUERIES[query]
        for name, value in values.items():
            statement = statement.replace(f":{name}", str(int(value)))
        return _execute(driver, statement)

    return ask


def _execute(driver: Any, statement: str) -> list[Mapping[str, Any]]:
    cursor = driver.cursor()
    try:
        cursor.execute(statement)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    finally:
        cursor.close()
