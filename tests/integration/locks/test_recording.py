"""What a move does is recorded as it happens, and what never was is not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.attempt import Patience
from expandcontract.errors import FencedError
from expandcontract.pg import build, witness
from expandcontract.pg.attempt import Attempt
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.ddl import statements
from expandcontract.pg.locks.recording import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from expandcontract.core.rehearsal import Ran
    from expandcontract.pg.server import LocalServer

ADD = "ALTER TABLE t ADD COLUMN b int"


@pytest.fixture
def url(database: str) -> URL:
    """A database with a table of some rows."""
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 100)")
    return parse(database)


@pytest.fixture
def recorder(url: URL) -> Iterator[Recorder]:
    """Watches what this thread does meanwhile."""
    found = Recorder(url)
    with witness.watched_by(found):
        yield found


def told(ran: Ran) -> tuple[str, list[str], list[str], list[str]]:
    """A statement's text, locks, rewrites and scans."""
    effect = ran.effect
    return effect.statement, [str(lock) for lock in effect.locks], sorted(effect.rewrites), sorted(effect.scans)


def test_a_transaction_is_recorded_once_it_is_committed(url: URL, recorder: Recorder) -> None:
    """With what each statement did on top of the ones before, and locks kept to the end by the first longest."""
    with connect(url, command="test") as connection:
        with connection.begin():
            connection.execute(text(ADD))
            connection.execute(text("ALTER TABLE t ALTER COLUMN a TYPE bigint"))
            assert () == recorder.taken()
        first, second = recorder.taken()
    assert (ADD, ["ACCESS EXCLUSIVE on public.t"], [], []) == told(first)
    assert ("ALTER TABLE t ALTER COLUMN a TYPE bigint", ["SHARE on public.t"], ["public.t"], []) == told(second)
    assert ["ACCESS EXCLUSIVE on public.t"] == [str(lock) for lock in second.held]
    assert first.kept > second.kept >= second.took > timedelta()
    assert first.kept >= first.took + second.took


def test_what_was_rolled_back_never_was(url: URL, recorder: Recorder) -> None:
    """To a savepoint, as a whole, or because a statement failed."""
    with connect(url, command="test") as connection:
        with connection.begin():
            with connection.begin_nested() as savepoint:
                connection.execute(text(ADD))
                savepoint.rollback()
            connection.execute(text("ALTER TABLE t ADD COLUMN c int"))
        assert ["ALTER TABLE t ADD COLUMN c int"] == [ran.effect.statement for ran in recorder.taken()]
        with connection.begin() as transaction:
            connection.execute(text(ADD))
            transaction.rollback()
        connection.execute(text(ADD))
        with pytest.raises(DBAPIError):
            connection.execute(text("ALTER TABLE nowhere ADD COLUMN b int"))
        connection.rollback()
    assert () == recorder.taken()


def test_a_plain_connection_is_watched_too(url: URL, recorder: Recorder) -> None:
    """The seal's statements, each in a transaction of its own; one that fails is none."""
    attempt = Attempt(1, timedelta(seconds=1), Patience())
    statements(url, "test", sql.SQL(ADD))(attempt)
    (ran,) = recorder.taken()
    assert (ADD, ["ACCESS EXCLUSIVE on public.t"], [], []) == told(ran)
    with pytest.raises(psycopg.errors.DuplicateColumn):
        statements(url, "test", sql.SQL(ADD))(attempt)
    assert () == recorder.taken()


def test_a_concurrent_build_is_looked_at_while_it_runs(url: URL, recorder: Recorder) -> None:
    """Its lock is gone by its end; it is seen none the less."""
    create = "CREATE INDEX CONCURRENTLY i ON t (a)"
    list(build.build(url, build.Index(schema="public", name="i", relation="t"), sql.SQL(create), Patience()))
    (ran,) = recorder.taken()
    assert (create, ["SHARE UPDATE EXCLUSIVE on public.t"], [], ["public.t"]) == told(ran)
    assert not ran.effect.transactional


def test_a_statement_outside_a_transaction_by_sqlalchemy(url: URL, recorder: Recorder) -> None:
    """As Alembic's autocommit block sends it; what the session had read before is none of its reads."""
    with connect(url, command="test") as connection:
        connection.execute(text("SELECT count(*) FROM t"))
        connection.rollback()
        outside = connection.execution_options(isolation_level="AUTOCOMMIT")
        outside.execute(text("CREATE INDEX i ON t (a)"))
        recorder.taken()
        outside.execute(text("DROP INDEX CONCURRENTLY i"))
    (ran,) = recorder.taken()
    statement, locks, rewrites, scans = told(ran)
    assert ("DROP INDEX CONCURRENTLY i", [], []) == (statement, rewrites, scans)
    assert "SHARE UPDATE EXCLUSIVE on public.t" in locks


def test_another_database_is_not_written(url: URL, recorder: Recorder, server: LocalServer) -> None:
    """A connection that leads elsewhere is refused before a statement is run on it."""
    with (
        pytest.raises(FencedError, match="not to the rehearsal's database"),
        connect(parse(server.dsn()), command="test"),
    ):
        pass
