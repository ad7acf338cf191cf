"""``ec`` among the application's transactions: nobody waits long, the blocker is named, the same command goes on."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.fix_project import CHANGE, Project
from tests.sleepers import until_asleep

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY = 4
READER_S = 3.0


@pytest.fixture
def app(project: Project) -> Iterator[psycopg.Connection]:
    """A session of the live color that has read the users and sleeps in its transaction."""
    with closing(psycopg.connect(project.database, user="app_blue", application_name="shop@blue")) as connection:
        connection.execute("SELECT nick FROM users WHERE full_name = 'secret'")
        until_asleep(project.database, connection.info.backend_pid)
        yield connection


def _impatient(project: Project, monkeypatch: pytest.MonkeyPatch, budget: str = "1500ms") -> None:
    monkeypatch.setenv("EC_LOCK__BUDGET", budget)


def test_the_move_pauses_and_goes_on(
    project: Project, app: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its budget spent ``ec advance`` exits 4 and names the blocker; the move stays in flight and is resumed."""
    _impatient(project, monkeypatch)
    said = project.ec("advance", CHANGE, expect=BUSY)
    assert f"backend {app.info.backend_pid} of app_blue (blue) 'shop@blue' from 127.0.0.1, " in said
    assert "holds AccessShareLock on users, idle in transaction, transaction open for" in said
    assert "query: SELECT nick FROM users WHERE full_name = ?" in said
    assert "secret" not in said
    assert f"next: ec advance {CHANGE} --terminate-idle, or end its transaction and run ec advance {CHANGE}" in said
    assert "waiting for upgrade to" in said
    assert "planned" == project.phase()
    document = project.document("advance", CHANGE, expect=BUSY)
    (blocker,) = document["blockers"]  # type: ignore[misc]
    assert ("app_blue", "blue", "idle in transaction") == (blocker["role"], blocker["color"], blocker["state"])  # type: ignore[index]
    assert "EC402" == document["error"]["code"]  # type: ignore[index]
    app.rollback()
    assert "resuming expand" in project.ec("advance", CHANGE)
    assert "expanded" == project.phase()


def test_sleepers_are_ended_only_where_asked(
    project: Project, app: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``--terminate-idle`` ends the application's sleeper, says so, and the journal has it from before it was done."""
    _impatient(project, monkeypatch)
    pid = app.info.backend_pid
    said = project.ec("advance", CHANGE, "--terminate-idle")
    assert f"ended backend {pid} of app_blue" in said
    with pytest.raises(psycopg.OperationalError):
        app.execute("SELECT 1")
    query = "SELECT event, detail ->> 'pid' FROM expandcontract.journal WHERE event LIKE 'session%' ORDER BY seq"
    assert [("session_to_end", str(pid)), ("session_ended", str(pid))] == project.sql(query)
    assert "expanded" == project.phase()


def test_rollback_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way back looks first and pauses as the way on does, and is resumed by the same command."""
    project.ec("advance", CHANGE)
    _impatient(project, monkeypatch)
    with closing(psycopg.connect(project.database, user="app_green")) as reader:
        reader.execute("SELECT 1 FROM users")
        until_asleep(project.database, reader.info.backend_pid)
        assert "app_green (green)" in project.ec("rollback", CHANGE, expect=BUSY)
        assert "ended backend" in project.ec("rollback", CHANGE, "--terminate-idle")
    assert [] == project.sql("SELECT 1 FROM information_schema.columns WHERE column_name = 'display_name'")


def test_repair_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Triggers are made anew by short attempts; a sleeping writer is named and, where asked, ended."""
    project.ec("advance", CHANGE)
    project.sql("ALTER TABLE users DISABLE TRIGGER zz_expandcontract_update")
    _impatient(project, monkeypatch)
    with closing(psycopg.connect(project.database, user="app_green")) as writer:
        writer.execute("UPDATE users SET visits = 1 WHERE id = 1")
        until_asleep(project.database, writer.info.backend_pid)
        assert "RowExclusiveLock on users" in project.ec("repair", CHANGE, expect=BUSY)
        project.ec("repair", CHANGE, "--terminate-idle")
    assert [] == project.sql("SELECT * FROM expandcontract.integrity()")


def test_the_seal_names_an_old_snapshot(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an idle transaction's snapshot there the backfill builds no index, names it, and goes on without it."""
    project.ec("advance", CHANGE)
    project.ec("advance", CHANGE, "--by", "database")
    project.sql("CREATE TABLE elsewhere ()")
    project.sql("GRANT SELECT ON elsewhere TO app_blue")
    _impatient(project, monkeypatch)
    invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    with closing(psycopg.connect(project.database, user="app_blue")) as holder:
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT 1 FROM elsewhere")
        until_asleep(project.database, holder.info.backend_pid)
        said = project.ec("advance", CHANGE, expect=BUSY)
        assert f"backend {holder.info.backend_pid} of app_blue (blue)" in said
        assert "holds an old snapshot" in said
        assert [] == project.sql(invalid)
    project.ec("advance", CHANGE)
    assert "backfilled" == project.phase()


def test_told_to_stop_it_leaves_no_invalid_index(project: Project) -> None:
    """On SIGTERM in the middle of a concurrent build the build is cancelled, and what it left is dropped."""
    project.ec("advance", CHANGE)
    project.ec("advance", CHANGE, "--by", "database")
    project.sql("CREATE TABLE elsewhere ()")
    invalid = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
    with closing(psycopg.connect(project.database)) as holder:
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT 1 FROM elsewhere")
        worker = threading.Thread(target=_sleep, args=(holder,))
        worker.start()
        running = project.begin("advance", CHANGE)
        while not project.sql(invalid):
            assert running.poll() is None
        running.terminate()
        said = running.communicate(timeout=60)[0]
        assert "ec advance" in said
        assert running.returncode == 130
        assert [] == project.sql(invalid)
        holder.cancel_safe()
        worker.join()
    project.ec("advance", CHANGE)
    assert "backfilled" == project.phase()


def _sleep(holder: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        holder.execute("SELECT pg_sleep(120)")


def test_an_innocent_select_waits_for_no_reader(project: Project) -> None:
    """While a reader keeps its transaction for three seconds, SELECTs started behind our DDL never wait for it."""
    waits: list[float] = []
    over = threading.Event()

    def innocent() -> None:
        with psycopg.connect(project.database, autocommit=True) as connection:
            while not over.is_set():
                began = time.monotonic()
                connection.execute("SELECT count(*) FROM users WHERE id < 10")
                waits.append(time.monotonic() - began)

    watcher = threading.Thread(target=innocent)
    watcher.start()
    try:
        with closing(psycopg.connect(project.database)) as reader:
            reader.execute("SELECT 1 FROM users")
            until_asleep(project.database, reader.info.backend_pid)
            running = project.begin("advance", CHANGE)
            reader.execute("SELECT pg_sleep(%s)", (READER_S,))
            assert running.poll() is None
            reader.rollback()
        said = running.communicate(timeout=60)[0]
        assert running.returncode == 0, said
    finally:
        over.set()
        watcher.join()
    assert "expanded" == project.phase()
    assert max(waits) < READER_S / 2


BUILD = """def upgrade() -> None:
    with op.get_context().autocommit_block():
        # ec: ignore EC204, EC231 because no release writes a nick twice, and a build may run again
        op.create_index("Ix nick", "users", ["nick"], unique=True, if_not_exists=True, postgresql_concurrently=True)
"""


def test_a_concurrent_build_of_a_revision_is_watched_too(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build in a revision of the developer's own begins beside no sleeper, and what it leaves invalid is dropped."""
    for path in (project.directory / "migrations" / "versions").glob("*_expand.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("def upgrade() -> None:\n", BUILD), encoding="utf-8")
    project.sql("UPDATE users SET nick = 'twice' WHERE id < 3")
    project.sql("CREATE TABLE elsewhere ()")
    indexes = """SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('"Ix nick"')"""
    _impatient(project, monkeypatch)
    with closing(psycopg.connect(project.database)) as holder:
        holder.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        holder.execute("SELECT 1 FROM elsewhere")
        until_asleep(project.database, holder.info.backend_pid)
        said = project.ec("advance", CHANGE, expect=BUSY)
        assert f"backend {holder.info.backend_pid} of postgres" in said
        assert "holds an old snapshot" in said
        assert [] == project.sql(indexes)
    assert "could not create unique index" in project.ec("advance", CHANGE, expect=1)
    assert [] == project.sql(indexes)
    project.sql("UPDATE users SET nick = id::text WHERE id < 3")
    project.ec("advance", CHANGE)
    assert [(True,)] == project.sql(indexes)
    assert "expanded" == project.phase()
