"""Concurrent index builds among old snapshots, writers and each other: valid at the end, or not there at all."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from expandcontract.core.attempt import Patience
from expandcontract.errors import LockTimeoutError, SealError
from expandcontract.pg.build import Index, build, drop, state
from expandcontract.pg.connect import parse
from expandcontract.pg.ddl import Ending, Waiting
from tests.sleepers import until_asleep

if TYPE_CHECKING:
    from collections.abc import Iterator

INDEX = Index(schema="public", name="Ix %s", relation="public.users")
CREATE = sql.SQL('CREATE INDEX CONCURRENTLY "Ix %s" ON users (name)')
UNIQUE = sql.SQL('CREATE UNIQUE INDEX CONCURRENTLY "Ix %s" ON users (name)')
SHORT = Patience(budget=timedelta(seconds=1.5), roles={"app_blue": "blue"}, command="ec backfill x")
LONG = Patience(budget=timedelta(seconds=60), roles={"app_blue": "blue"})
LATE = Patience(budget=LONG.budget, build=timedelta(seconds=1.5), command="ec backfill x")


@pytest.fixture
def users(database: str) -> str:
    """A database with users, and a table beside them."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id int PRIMARY KEY, name text)")
        connection.execute("CREATE TABLE other (id int)")
        connection.execute("INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 1000) AS n")
        connection.execute("GRANT ALL ON users, other TO app_blue")
    return database


def _state(dsn: str) -> bool | None:
    with psycopg.connect(dsn, autocommit=True) as connection:
        return state(connection, INDEX)


@contextmanager
def _snapshot(dsn: str, *, user: str | None = None, asleep: bool = True) -> Iterator[psycopg.Connection]:
    """A session that keeps a snapshot taken on another table."""
    kwargs = {"user": user} if user else {}
    with closing(psycopg.connect(dsn, **kwargs)) as holder:
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT 1 FROM other")
        if asleep:
            until_asleep(dsn, holder.info.backend_pid)
        yield holder


def test_an_idle_transaction_with_a_snapshot_is_waited_for_first(users: str) -> None:
    """Nothing is begun beside a sleeper's snapshot, on whatever table; he is named, and then the index is built."""
    with _snapshot(users) as holder:
        for notice in build(parse(users), INDEX, CREATE, LONG):
            assert isinstance(notice, Waiting)
            if holder.info.transaction_status is psycopg.pq.TransactionStatus.INTRANS:
                assert [holder.info.backend_pid] == [blocker.pid for blocker in notice.blockers]
                assert _state(users) is None
                holder.rollback()
    assert _state(users) is True


def test_it_is_refused_before_it_begins(users: str) -> None:
    """With the budget spent the error names the sleeper, and there is no index, valid or not."""
    with _snapshot(users) as holder:
        with pytest.raises(LockTimeoutError, match="holds an old snapshot") as caught:
            list(build(parse(users), INDEX, CREATE, SHORT))
        assert f"backend {holder.info.backend_pid} of postgres" in caught.value.message
    assert "ec backfill x" in str(caught.value.hint)
    assert _state(users) is None


def test_a_sleeping_writer_is_waited_for_first(users: str) -> None:
    """A writer of the table keeps no snapshot and holds up a build all the same."""
    with closing(psycopg.connect(users)) as writer:
        writer.execute("UPDATE users SET name = 'x' WHERE id = 1")
        until_asleep(users, writer.info.backend_pid)
        with pytest.raises(LockTimeoutError, match="RowExclusiveLock on users, idle in transaction"):
            list(build(parse(users), INDEX, CREATE, SHORT))
    assert _state(users) is None


def test_a_sleeper_is_ended_where_asked(users: str) -> None:
    """With ``terminate_idle`` the application's sleeper is ended, and the index is built."""
    asked = Patience(budget=LONG.budget, roles=LONG.roles, terminate_idle=True)
    with _snapshot(users, user="app_blue") as holder:
        found = list(build(parse(users), INDEX, CREATE, asked))
        assert [holder.info.backend_pid] * 2 == [n.blocker.pid for n in found if isinstance(n, Ending)]
    assert _state(users) is True


@contextmanager
def _busy(dsn: str) -> Iterator[psycopg.Connection]:
    """A query that runs on, with a snapshot too young to be waited for first."""
    with _snapshot(dsn, asleep=False) as holder:
        worker = threading.Thread(target=_sleep, args=(holder,))
        worker.start()
        try:
            yield holder
        finally:
            holder.cancel_safe()
            worker.join()


def _sleep(holder: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        holder.execute("SELECT pg_sleep(120)")


def test_the_deadline_leaves_nothing(users: str) -> None:
    """A build that waits for a running query beyond its deadline is stopped, names the query, and leaves no index."""
    with _busy(users) as holder:
        with pytest.raises(LockTimeoutError, match=r"not through within lock\.build, 2s") as caught:
            list(build(parse(users), INDEX, CREATE, LATE))
        assert f"backend {holder.info.backend_pid} of " in caught.value.message
        assert _state(users) is None


def test_being_told_to_stop_leaves_nothing(users: str) -> None:
    """Closed in the middle, as on Ctrl-C, the build is cancelled and what it left is dropped."""
    with _busy(users) as holder:
        running = build(parse(users), INDEX, CREATE, LONG)
        for notice in running:
            assert isinstance(notice, Waiting)
            if [holder.info.backend_pid] == [blocker.pid for blocker in notice.blockers]:
                assert "waiting for" in notice.doing
                assert _state(users) is False
                break
        running.close()  # type: ignore[attr-defined]  # it is a generator
        assert _state(users) is None


def test_rows_that_break_it_leave_nothing(users: str) -> None:
    """A unique index over rows that are not leaves no invalid one behind."""
    with psycopg.connect(users, autocommit=True) as connection:
        connection.execute("INSERT INTO users VALUES (0, 'user 7')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            list(build(parse(users), INDEX, UNIQUE, LONG))
        assert _state(users) is None


def test_what_a_kill_left_is_made_anew(users: str) -> None:
    """An invalid index of an earlier build is dropped and built; a valid one is left as it is."""
    with psycopg.connect(users, autocommit=True) as connection:
        connection.execute("INSERT INTO users VALUES (0, 'user 7')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(UNIQUE)
        connection.execute("DELETE FROM users WHERE id = 0")
        assert _state(users) is False
        list(build(parse(users), INDEX, UNIQUE, LONG))
        assert _state(users) is True
        before = connection.execute("""SELECT '"Ix %s"'::regclass::oid""").fetchone()
        list(build(parse(users), INDEX, UNIQUE, LONG))
        assert before == connection.execute("""SELECT '"Ix %s"'::regclass::oid""").fetchone()


def test_two_at_once(users: str) -> None:
    """Two clients that build the same index at once end with one valid index; neither undoes the other's work."""
    said: list[str] = []

    def one() -> None:
        try:
            list(build(parse(users), INDEX, CREATE, LONG))
            said.append("built")
        except SealError as exc:
            said.append(exc.message)

    with _busy(users) as holder:
        threads = [threading.Thread(target=one) for _ in range(2)]
        for thread in threads:
            thread.start()
        with psycopg.connect(users, autocommit=True) as eye:
            query = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> %s"
            while eye.execute(query, (holder.info.backend_pid,)).fetchone() == (0,):
                eye.execute("SELECT pg_sleep(0.02)")
    for thread in threads:
        thread.join()
    assert _state(users) is True
    assert "built" in said
    assert 2 == len(said)


def test_what_another_builds_is_not_dropped_under_him(users: str) -> None:
    """An invalid index that somebody is building right now is waited for, and then found valid."""
    with _busy(users) as holder, psycopg.connect(users, autocommit=True) as other:
        worker = threading.Thread(target=other.execute, args=('CREATE INDEX CONCURRENTLY "Ix %s" ON users (name)',))
        worker.start()
        while _state(users) is not False:
            holder.info  # noqa: B018  # the state is the condition
        with pytest.raises(LockTimeoutError, match="CREATE INDEX CONCURRENTLY"):
            list(build(parse(users), INDEX, CREATE, SHORT))
        assert _state(users) is False
        holder.cancel_safe()
        worker.join()
        list(build(parse(users), INDEX, CREATE, LONG))
    assert _state(users) is True


def test_dropping(users: str) -> None:
    """An index is dropped concurrently, named while somebody uses its table, and dropping twice is well."""
    list(build(parse(users), INDEX, CREATE, LONG))
    with closing(psycopg.connect(users)) as reader:
        reader.execute("SELECT 1 FROM users")
        for notice in drop(parse(users), INDEX, LONG):
            assert isinstance(notice, Waiting)
            if notice.blockers:
                assert [reader.info.backend_pid] == [blocker.pid for blocker in notice.blockers]
                reader.rollback()
    assert _state(users) is None
    assert [] == list(drop(parse(users), INDEX, LONG))


def test_a_build_lost_by_its_connection_is_swept(users: str) -> None:
    """Where the building session is ended from outside, the error comes through and nothing invalid stays."""
    with _busy(users), psycopg.connect(users, autocommit=True) as dba:
        running = build(parse(users), INDEX, CREATE, LONG)
        for notice in running:
            assert isinstance(notice, Waiting)
            if notice.blockers:
                break
        dba.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ec build'")
        with pytest.raises(psycopg.OperationalError):
            list(running)
        assert _state(users) is None
