"""DDL among real blockers: it looks first, asks briefly, names who is in the way, and ends nobody unasked."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from expandcontract.core.attempt import Patience
from expandcontract.core.conflict import Claim, conflicting
from expandcontract.core.effect import LockMode
from expandcontract.errors import FailedError, LockTimeoutError
from expandcontract.pg.connect import parse
from expandcontract.pg.ddl import Ending, Notice, Waiting, Work, perform, statements
from tests.sleepers import until_asleep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from expandcontract.pg.attempt import Attempt

SHORT = Patience(budget=timedelta(seconds=1.5), roles={"app_blue": "blue"}, command="ec advance x")
LONG = Patience(budget=timedelta(seconds=60), roles={"app_blue": "blue"})
ADD = sql.SQL("ALTER TABLE users ADD COLUMN extra int")
CLAIM = (Claim("users", LockMode.ACCESS_EXCLUSIVE),)
XID_TURNS = 100_500


@pytest.fixture
def users(database: str) -> str:
    """A database with a table of users and one that refers to it."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id int PRIMARY KEY, name text)")
        connection.execute("CREATE TABLE orders (id int PRIMARY KEY, user_id int REFERENCES users)")
        connection.execute("INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 1000) AS n")
        connection.execute("GRANT ALL ON users TO app_blue, app_green")
    return database


@pytest.fixture
def reader(users: str) -> Iterator[psycopg.Connection]:
    """A session that has read the users and keeps its transaction open."""
    with closing(psycopg.connect(users, application_name="shop@blue")) as connection:
        connection.execute("SELECT name FROM users WHERE name = 'user 17' AND id = 17")
        yield connection


class Counted:
    """Runs the statements and counts the attempts."""

    def __init__(self, dsn: str, *composed: sql.SQL) -> None:
        self.inner = statements(parse(dsn), "test", *composed)
        self.attempts: list[Attempt] = []

    def __call__(self, attempt: Attempt) -> None:
        """As :func:`statements` does."""
        self.attempts.append(attempt)
        self.inner(attempt)


def _columns(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT column_name::text FROM information_schema.columns WHERE table_name = 'users'")
        return [row[0] for row in rows]


def _drive(notices: Iterator[Notice], at_first: Callable[[Notice], None]) -> list[Notice]:
    found = []
    for notice in notices:
        if not found:
            at_first(notice)
        found.append(notice)
    return found


def test_a_reader_is_looked_for_first(users: str, reader: psycopg.Connection) -> None:
    """While an old reader is there no attempt is made; once he has gone the first one, of 100 ms, gets through."""
    until_asleep(users, reader.info.backend_pid)
    work = Counted(users, ADD)

    def first(notice: Notice) -> None:
        assert isinstance(notice, Waiting)
        assert [] == work.attempts
        (blocker,) = notice.blockers
        assert (reader.info.backend_pid, "shop@blue", "AccessShareLock") == (
            blocker.pid,
            blocker.application,
            blocker.mode,
        )
        assert "SELECT name FROM users WHERE name = ? AND id = ?" == blocker.query
        reader.rollback()

    _drive(perform(parse(users), Work(what="it", claims=CLAIM, run=work), LONG), first)
    assert [timedelta(milliseconds=100)] == [attempt.lock_timeout for attempt in work.attempts]
    assert "extra" in _columns(users)


def test_the_budget_ends_it_and_nobody_else(users: str, reader: psycopg.Connection) -> None:
    """When the budget is spent the error names the blocker and what to type; he lives, and nothing was attempted."""
    until_asleep(users, reader.info.backend_pid)
    work = Counted(users, ADD)
    with pytest.raises(LockTimeoutError) as caught:
        list(perform(parse(users), Work(what="it", claims=CLAIM, run=work), SHORT))
    assert f"backend {reader.info.backend_pid} of " in caught.value.message
    assert "idle in transaction" in caught.value.message
    assert "user 17" not in caught.value.message
    assert f"SELECT pg_terminate_backend({reader.info.backend_pid}), then ec advance x" in str(caught.value.hint)
    assert [reader.info.backend_pid] == [blocker["pid"] for blocker in caught.value.document["blockers"]]  # type: ignore[attr-defined]
    assert [] == work.attempts
    assert reader.execute("SELECT 1").fetchone() == (1,)


def test_a_lock_that_was_not_foreseen_is_learned(users: str, reader: psycopg.Connection) -> None:
    """An attempt that meets an unforeseen lock fails briefly; from then on that relation is looked at first."""
    until_asleep(users, reader.info.backend_pid)
    work = Counted(users, ADD)

    def run(attempt: Attempt) -> None:
        work(attempt)

    seen: list[Waiting] = []
    for notice in perform(parse(users), Work(what="it", claims=(), run=run), LONG):
        assert isinstance(notice, Waiting)
        seen.append(notice)
        if len(seen) == 2:
            assert 1 == len(work.attempts)
            reader.rollback()
    for notice in seen:
        assert [reader.info.backend_pid] == [blocker.pid for blocker in notice.blockers]
    assert 2 == len(work.attempts)


@pytest.fixture
def app(users: str) -> Iterator[psycopg.Connection]:
    """An application's session, idle in its transaction, and its backend."""
    with closing(psycopg.connect(users, user="app_blue")) as connection:
        connection.execute("SELECT 1 FROM users")
        yield connection


def test_a_sleeper_is_ended_where_asked(users: str, app: psycopg.Connection) -> None:
    """With ``terminate_idle`` an application's sleeping session is named, then ended, and the work goes through."""
    until_asleep(users, app.info.backend_pid)
    asked = Patience(budget=LONG.budget, roles=LONG.roles, terminate_idle=True)
    run = statements(parse(users), "test", ADD)
    found = list(perform(parse(users), Work(what="it", claims=CLAIM, run=run), asked))
    ends = [(notice.blocker.pid, notice.done) for notice in found if isinstance(notice, Ending)]
    assert [(app.info.backend_pid, None), (app.info.backend_pid, True)] == ends
    with pytest.raises(psycopg.OperationalError):
        app.execute("SELECT 1")
    assert "extra" in _columns(users)


def test_others_are_never_ended(users: str, reader: psycopg.Connection) -> None:
    """A sleeper of another role, and an application's session that works, are waited for though the flag is set."""
    until_asleep(users, reader.info.backend_pid)
    asked = Patience(budget=SHORT.budget, roles=SHORT.roles, terminate_idle=True)
    work = Work(what="it", claims=CLAIM, run=statements(parse(users), "test", ADD))
    with pytest.raises(LockTimeoutError):
        list(perform(parse(users), work, asked))
    reader.rollback()
    with closing(psycopg.connect(users, user="app_blue")) as busy:
        busy.execute("SELECT 1 FROM users")
        worker = threading.Thread(target=lambda: busy.execute("SELECT pg_sleep(4)"))
        worker.start()
        until_asleep(users, busy.info.backend_pid)
        with pytest.raises(LockTimeoutError, match=f"backend {busy.info.backend_pid} of app_blue"):
            list(perform(parse(users), work, asked))
        worker.join()
        busy.rollback()


def test_a_prepared_transaction_has_no_end_of_its_own(users: str) -> None:
    """A prepared transaction is named with the statement that ends it, and is not queued for, however young."""
    with psycopg.connect(users, autocommit=True) as other:
        other.execute("BEGIN; UPDATE users SET name = '' WHERE id = 1; PREPARE TRANSACTION 'order 66'")
        work = Counted(users, ADD)
        with pytest.raises(LockTimeoutError, match="prepared transaction 'order 66' of ") as caught:
            list(perform(parse(users), Work(what="it", claims=CLAIM, run=work), SHORT))
        assert "ROLLBACK PREPARED 'order 66'" in str(caught.value.hint)
        assert len(work.attempts) <= 1
        other.execute("ROLLBACK PREPARED 'order 66'")
        list(perform(parse(users), Work(what="it", claims=CLAIM, run=work), SHORT))
    assert "extra" in _columns(users)


@pytest.fixture
def slow(users: str) -> Iterator[psycopg.Connection]:
    """A table whose autovacuum would take hours."""
    with psycopg.connect(users, autocommit=True) as connection:
        connection.execute("CREATE TABLE busy (id int PRIMARY KEY, pad text)")
        connection.execute("INSERT INTO busy SELECT n, repeat('x', 500) FROM generate_series(1, 20000) AS n")
        connection.execute(
            "ALTER TABLE busy SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1)"
        )
        yield connection
        connection.execute("DROP TABLE IF EXISTS busy")


def _until_vacuumed(connection: psycopg.Connection, what: str) -> int:
    query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' AND query LIKE %s"
    for _ in range(1500):
        row = connection.execute(query, (what,)).fetchone()
        if row:
            return int(row[0])
        connection.execute("SELECT pg_sleep(0.04)")
    pytest.fail("no autovacuum came")


def test_an_autovacuum_yields(users: str, slow: psycopg.Connection) -> None:
    """An ordinary autovacuum is outwaited by one rung above deadlock_timeout, and gives way."""
    slow.execute("ALTER TABLE busy SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0)")
    slow.execute("DELETE FROM busy WHERE id % 2 = 0")
    _until_vacuumed(slow, "%busy%")
    work = Counted(users, sql.SQL("ALTER TABLE busy ADD COLUMN extra int"))
    claims = (Claim("public.busy", LockMode.ACCESS_EXCLUSIVE),)
    list(perform(parse(users), Work(what="it", claims=claims, run=work), LONG))
    assert [timedelta(milliseconds=1250)] == [attempt.lock_timeout for attempt in work.attempts]


def test_an_autovacuum_to_prevent_wraparound_does_not(users: str, slow: psycopg.Connection) -> None:
    """One to prevent wraparound is waited for from afar, named, and left alone."""
    slow.execute("ALTER TABLE busy SET (autovacuum_freeze_max_age = 100000)")
    slow.execute(
        "CREATE PROCEDURE burn() LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1.."
        f"{XID_TURNS} LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
    )
    slow.execute("CALL burn()")
    pid = _until_vacuumed(slow, "%busy (to prevent wraparound)%")
    work = Counted(users, sql.SQL("ALTER TABLE busy ADD COLUMN extra int"))
    claims = (Claim("public.busy", LockMode.ACCESS_EXCLUSIVE),)
    with pytest.raises(LockTimeoutError, match=f"backend {pid}, an autovacuum to prevent wraparound") as caught:
        list(perform(parse(users), Work(what="it", claims=claims, run=work), SHORT))
    assert "let it finish" in str(caught.value.hint)
    assert [] == work.attempts
    assert [(pid,)] == slow.execute("SELECT pid FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchall()
    slow.execute("SELECT pg_cancel_backend(%s)", (pid,))
    slow.execute("ALTER TABLE busy RESET (autovacuum_freeze_max_age)")


def test_a_statement_that_reads_rows_is_stopped(users: str) -> None:
    """What only the catalogue should change is stopped when it rewrites rows instead, and is not tried again."""
    with psycopg.connect(users, autocommit=True) as connection:
        connection.execute("ALTER TABLE users SET (autovacuum_enabled = off)")  # to wait for it would be another story
        connection.execute("INSERT INTO users SELECT n FROM generate_series(2000, 150000) AS n")
    hasty = Patience(statement=timedelta(milliseconds=30))
    work = Counted(users, sql.SQL("ALTER TABLE users ADD COLUMN extra timestamptz DEFAULT clock_timestamp()"))
    with pytest.raises(FailedError, match="reads or rewrites rows"):
        list(perform(parse(users), Work(what="it", claims=CLAIM, run=work), hasty))
    assert 1 == len(work.attempts)
    assert "extra" not in _columns(users)


def test_two_at_once(users: str) -> None:
    """Two clients that alter the same table at the same time both get through."""
    errors: list[BaseException] = []

    def alter(name: str) -> None:
        try:
            run = statements(
                parse(users), "test", sql.SQL("ALTER TABLE users ADD COLUMN {} int").format(sql.Identifier(name))
            )
            list(perform(parse(users), Work(what=name, claims=CLAIM, run=run), LONG))
        except BaseException as exc:  # noqa: BLE001  # told by the test
            errors.append(exc)

    threads = [threading.Thread(target=alter, args=(f"extra_{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [] == errors
    assert {"extra_0", "extra_1", "extra_2", "extra_3"} <= set(_columns(users))


def test_partitions_are_looked_at(database: str) -> None:
    """A reader of one partition is found by a claim on the whole."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE whole (id int) PARTITION BY RANGE (id)")
        connection.execute("CREATE TABLE part PARTITION OF whole FOR VALUES FROM (1) TO (9) PARTITION BY RANGE (id)")
        connection.execute('CREATE TABLE "Leaf 1" PARTITION OF part FOR VALUES FROM (1) TO (5)')
    with closing(psycopg.connect(database)) as reader:
        reader.execute('SELECT 1 FROM "Leaf 1"')
        until_asleep(database, reader.info.backend_pid)
        work = Counted(database, sql.SQL("ALTER TABLE whole ADD COLUMN extra int"))
        claims = (Claim("public.whole", LockMode.ACCESS_EXCLUSIVE),)
        with pytest.raises(LockTimeoutError, match='AccessShareLock on "Leaf 1"'):
            list(perform(parse(database), Work(what="it", claims=claims, run=work), SHORT))
        assert [] == work.attempts


@pytest.mark.parametrize("mode", LockMode)
def test_the_table_of_conflicts_is_the_servers(users: str, mode: LockMode) -> None:
    """Each mode excludes on the server exactly the modes that it excludes here."""
    with psycopg.connect(users) as holder, psycopg.connect(users) as other:
        holder.execute("ALTER TABLE users SET (autovacuum_enabled = off)")  # it takes locks of its own
        holder.commit()
        holder.execute(f"LOCK TABLE users IN {mode} MODE")
        excluded = []
        for wanted in LockMode:
            try:
                other.execute(f"LOCK TABLE users IN {wanted} MODE NOWAIT")
            except psycopg.errors.LockNotAvailable:
                excluded.append(wanted)
            other.rollback()
        assert conflicting(mode) == tuple(excluded)
