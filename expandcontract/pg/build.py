"""Concurrent index builds: begun when nothing old is in the way, watched while they run, never left invalid behind.

A build queues nobody, but waits for every older snapshot of the database and every writer of the table; stopped
there, it leaves an index that costs each write and serves no query. So what it would wait for is looked for first.
https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from expandcontract.core.attempt import LOOK
from expandcontract.core.conflict import Claim
from expandcontract.core.duration import in_words
from expandcontract.core.effect import LockMode
from expandcontract.errors import LockTimeoutError, SealError
from expandcontract.pg import blockers
from expandcontract.pg.background import Background
from expandcontract.pg.connect import hot
from expandcontract.pg.ddl import STOPPED, TELL_EVERY, Notice, Waiting, end_idle, timed_out
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from expandcontract.core.attempt import Patience
    from expandcontract.core.blocker import Blocker

QUERIES = load("expandcontract.pg", "build.sql")
SWEEP = timedelta(seconds=5)
FIRST_S, LONGEST_S = 0.05, 1.0
DEADLOCKS = 3
_NAME = r'(?:"(?:[^"]|"")+"|[\w$]+)'
CREATED = re.compile(
    rf"\s*CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<name>{_NAME})\s+ON\s+(?:ONLY\s+)?"
    rf"(?P<relation>{_NAME}(?:\.{_NAME})?)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """An index by name.

    Attributes:
        schema: Its schema, unquoted.
        name: Its name, unquoted.
        relation: Its table, as SQL writes it.
    """

    schema: str
    name: str
    relation: str

    @property
    def identifier(self) -> sql.Identifier:
        """Its qualified name, quoted."""
        return sql.Identifier(self.schema, self.name)


def state(connection: psycopg.Connection, index: Index) -> bool | None:
    """Whether the index is valid; ``None`` where it is not there."""
    values = {"schema": index.schema, "name": index.name, "relation": index.relation}
    row = connection.execute(QUERIES["state"], values).fetchone()
    return None if row is None else bool(row[0])


def parsed(connection: psycopg.Connection, statement: str) -> Index | None:
    """The index that a ``CREATE INDEX CONCURRENTLY`` makes; ``None`` for another statement, or one without a name."""
    found = CREATED.match(statement)
    if found is None:
        return None
    name, relation = found["name"], found["relation"]
    row = connection.execute(
        "SELECT n.nspname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE c.oid = to_regclass(%s)",
        (relation,),
    ).fetchone()
    plain = name[1:-1].replace('""', '"') if name.startswith('"') else name.lower()
    return None if row is None else Index(schema=row[0], name=plain, relation=relation)


def build(url: URL, index: Index, create: sql.SQL | sql.Composed, patience: Patience) -> Iterator[Notice]:
    """Build an index concurrently; done means valid. May run any number of times.

    Takes SHARE UPDATE EXCLUSIVE on the table, for as long as the build lasts; reads and writes pass. What an earlier
    build left invalid is dropped first, and so is what this one leaves when it fails, runs late, or is told to stop.

    Yields:
        What the build waits for, before and while it runs, and how far it is.

    Raises:
        LockTimeoutError: Something old stood in the way for the whole budget and nothing was begun, or the build was
            not through by its deadline.
        SealError: The build ended without a valid index.
        psycopg.Error: The build failed: rows break it, or its definition does not hold.
    """
    what = f"index {index.name}"
    for _ in range(DEADLOCKS):
        with hot(url, command="locks") as eye:
            if state(eye, index):
                return
            yield from _quiet(eye, index, what, patience)
            if state(eye, index) is False:
                gone = sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(index.identifier)
                yield from _watched(url, eye, gone, f"dropping what an earlier build left of {what}", patience)
            try:
                yield from _watched(url, eye, create, what, patience)
            except psycopg.errors.DeadlockDetected:
                continue
            except psycopg.errors.DuplicateTable as exc:
                msg = f"{what} cannot be built: something of that name is there or is being built by somebody else"
                raise SealError(msg, hint="run the same command again, or drop what bears the name") from exc
            finally:
                sweep(url, index)
            if state(eye, index):
                return
    msg = f"{what} was built and is not valid, or lost {DEADLOCKS} deadlocks"
    raise SealError(msg, hint="run the same command again")


def drop(url: URL, index: Index, patience: Patience) -> Iterator[Notice]:
    """Drop an index concurrently; it waits for every transaction that uses the table. May run any number of times.

    Raises:
        LockTimeoutError: It was not gone by the deadline.
    """
    with hot(url, command="locks") as eye:
        if state(eye, index) is not None:
            gone = sql.SQL("DROP INDEX CONCURRENTLY {}").format(index.identifier)
            yield from _watched(url, eye, gone, f"dropping index {index.name}", patience)


def in_the_way(eye: psycopg.Connection, index: Index, patience: Patience) -> tuple[Blocker, ...]:
    """What a concurrent build of the index would wait for, nobody knows how long; it had better not begin."""
    writers = blockers.holders(eye, [Claim(index.relation, LockMode.SHARE)], timedelta())
    found = {(b.pid, b.application): b for b in (*blockers.snapshots(eye), *writers)}
    old = [blocker for blocker in found.values() if blocker.holds_up_build(patience.snapshot)]
    if state(eye, index) is False:
        # whoever holds this lock may be building this very index; to drop it under him would undo his work
        builders = blockers.holders(eye, [Claim(index.relation, LockMode.SHARE_UPDATE_EXCLUSIVE)], timedelta())
        old += [b for b in builders if not b.yields and b.pid not in {o.pid for o in old}]
    return tuple(old)


def _quiet(eye: psycopg.Connection, index: Index, what: str, patience: Patience) -> Iterator[Notice]:
    began, teller = time.monotonic(), _Teller(what, patience)
    while found := in_the_way(eye, index, patience):
        if (yield from end_idle(eye, what, found, patience)):
            continue
        elapsed = timedelta(seconds=time.monotonic() - began)
        if elapsed >= patience.budget:
            raise timed_out(what, found, patience, elapsed, 0)
        yield from teller.tell(found, elapsed, "not begun yet")
        pause = LOOK.total_seconds() * (0.25 + 0.75 * random.random())  # noqa: S311  # jitter keeps no secret
        time.sleep(min(pause, (patience.budget - elapsed).total_seconds()))


def _watched(
    url: URL, eye: psycopg.Connection, statement: sql.SQL | sql.Composed, what: str, patience: Patience
) -> Iterator[Notice]:
    began, teller = time.monotonic(), _Teller(what, patience)
    found: tuple[Blocker, ...] = ()
    pause = FIRST_S
    with Background(url, "build", statement, patience.build) as running:
        try:
            while not running.ended(pause):
                pause = min(pause * 2, LONGEST_S)
                _, found = blockers.waits_for(eye, running.pid)
                yield from end_idle(eye, what, found, patience)
                elapsed = timedelta(seconds=time.monotonic() - began)
                yield from teller.tell(found, elapsed, _progress(eye, running.pid))
        except psycopg.Error as exc:
            if exc.sqlstate != STOPPED:
                raise
            raise _late(what, found, patience) from exc


def _progress(eye: psycopg.Connection, pid: int) -> str:
    with eye.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(QUERIES["progress"], {"pid": pid}).fetchone()
    if row is None:
        return "running"
    return str(row["phase"]) + ("" if row["share"] is None else f", {row['share']} %")


def _late(what: str, found: tuple[Blocker, ...], patience: Patience) -> LockTimeoutError:
    error = timed_out(what, found, patience, patience.build, 1)
    head = (
        f"{what}: not through within lock.build, {in_words(patience.build)}. What it left is dropped now, or, where "
        "that has to wait as well, by the next run."
    )
    message = "\n".join([head, *error.message.splitlines()[1:]])
    return LockTimeoutError(message, hint=error.hint, document=error.document)


def sweep(url: URL, index: Index) -> None:
    """Drop what a build left invalid; where even that has to wait, or another builds, the next run does it."""
    building = [Claim(index.relation, LockMode.SHARE_UPDATE_EXCLUSIVE)]
    try:
        with hot(url, command="build") as connection:
            if state(connection, index) is False and not blockers.holders(connection, building, timedelta()):
                connection.execute("SET lock_timeout = 0")
                limit = f"{int(SWEEP.total_seconds() * 1000)}ms"
                connection.execute("SELECT set_config('statement_timeout', %s, false)", (limit,))
                connection.execute(sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(index.identifier))
    except psycopg.Error:
        return


class _Teller:
    """Says what is waited for when it changes, and now and then while it does not."""

    def __init__(self, what: str, patience: Patience) -> None:
        self.what, self.patience = what, patience
        self.said_at = float("-inf")
        self.said: object = None

    def tell(self, found: tuple[Blocker, ...], elapsed: timedelta, doing: str) -> Iterator[Notice]:
        now, said = time.monotonic(), (doing.split(",", maxsplit=1)[0], tuple(blocker.pid for blocker in found))
        if said == self.said and now - self.said_at < TELL_EVERY.total_seconds():
            return
        self.said_at, self.said = now, said
        yield Waiting(
            what=self.what, blockers=found, attempt=1, elapsed=elapsed, budget=self.patience.build, doing=doing
        )
