"""What each gauge of the server says, and what it says where it may not look."""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill.throttle.gauge import Scope
from expandcontract.backfill.throttle.gauges.active import Active
from expandcontract.backfill.throttle.gauges.archiver import Archiver
from expandcontract.backfill.throttle.gauges.dead import Dead
from expandcontract.backfill.throttle.gauges.replicas import Replicas
from expandcontract.backfill.throttle.gauges.slots import Slots
from expandcontract.backfill.throttle.gauges.snapshots import Snapshots
from expandcontract.backfill.throttle.gauges.vacuums import Vacuums
from expandcontract.backfill.throttle.gauges.wal import Wal
from expandcontract.backfill.throttle.limits import Limits
from expandcontract.core.throttle import Reading, Signal, Unknown
from expandcontract.errors import BackfillError
from expandcontract.pg.server import QUICK, LocalServer
from tests.acceptance.test_together import wait_until
from tests.fix_running import limited, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.throttle.gauge import Gauge
    from tests.fix_filling import Filling

EVERYTHING = Limits(of=dict.fromkeys(Signal, 0.0))
KEEPING = {
    **QUICK,
    "archive_mode": "on",
    "archive_command": "/bin/false",
    "max_slot_wal_keep_size": "32MB",
    "max_wal_size": "10GB",  # no checkpoint takes the slot's WAL away while the test looks
}
UNDER_WAY = "SELECT 1 FROM pg_stat_progress_vacuum WHERE datname = current_database()"


@pytest.fixture(scope="module")
def keeping(request: pytest.FixtureRequest) -> Iterator[LocalServer]:
    """A server whose archiving fails, and whose slots may keep little."""
    with LocalServer.start(version=request.config.getoption("--pg"), settings=KEEPING) as started:
        yield started


@contextmanager
def scope(address: str, *relations: int) -> Iterator[Scope]:
    """A look at everything."""
    with psycopg.connect(address, autocommit=True, application_name="ec backfill a") as connection:
        yield Scope(connection=connection, application="ec backfill a", relations=relations, limits=EVERYTHING)


def values(gauge: Gauge, found: Scope) -> dict[Signal, tuple[float, str]]:
    """What a gauge measures now."""
    read = list(gauge.read(found))
    return {item.signal: (item.value, item.detail) for item in read if isinstance(item, Reading)}


def test_archiving_that_fails_is_seen(keeping: LocalServer) -> None:
    """Files that wait are counted, and the time since the failure was first seen grows."""
    gauge = Archiver()
    with scope(keeping.dsn()) as look:
        look.connection.execute("CREATE TABLE archived (id int)")
        look.connection.execute("SELECT pg_switch_wal()")
        wait_until(lambda: values(gauge, look)[Signal.ARCHIVE_FAILING][0] > 0)
        found = values(gauge, look)
        assert found[Signal.ARCHIVE_BACKLOG][0] >= 1
        assert found[Signal.ARCHIVE_FAILING][1].startswith("last at 0000")
        assert found[Signal.ARCHIVE_FAILING][0] < values(gauge, look)[Signal.ARCHIVE_FAILING][0]


def test_a_slot_that_nobody_reads_is_seen(keeping: LocalServer) -> None:
    """What a slot keeps is measured; once it is about to lose it, the slot is named."""
    gauge = Slots()
    with scope(keeping.dsn()) as look:
        assert {Signal.SLOT_BACKLOG_BYTES: (0, ""), Signal.SLOTS_AT_RISK: (0, "")} == values(gauge, look)
        look.connection.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
        look.connection.execute("CREATE TABLE kept (id int)")
        for _ in range(6):  # a segment of 16 MB each, written or not
            look.connection.execute("INSERT INTO kept VALUES (1)")
            look.connection.execute("SELECT pg_switch_wal()")
        found = values(gauge, look)
        assert found[Signal.SLOT_BACKLOG_BYTES][0] > 80 * 2**20
        assert found[Signal.SLOT_BACKLOG_BYTES][1] == "slot forgotten, nobody reads it"
        assert found[Signal.SLOTS_AT_RISK] == (1, "forgotten")
        look.connection.execute("SELECT pg_drop_replication_slot('forgotten')")


def test_the_wal_rate_is_that_of_the_server(database: str) -> None:
    """What somebody else writes between two looks counts."""
    gauge = Wal()
    with scope(database) as look, psycopg.connect(database, autocommit=True) as other:
        assert 0 == values(gauge, look)[Signal.WAL_BYTES_PER_S][0]
        other.execute("CREATE TABLE written AS SELECT n FROM generate_series(1, 50000) AS n")
        wait_until(lambda: values(gauge, look)[Signal.WAL_BYTES_PER_S][0] > 0)


def test_the_oldest_snapshot_is_named(database: str) -> None:
    """A transaction that has read or written counts by its age; one of the backfill's own, or of a VACUUM, does not."""
    with scope(database) as look, closing(psycopg.connect(database, application_name="report")) as other:
        assert values(Snapshots(), look)[Signal.OLDEST_SNAPSHOT] == (0.0, "")
        other.execute("CREATE TABLE seen (id int)")  # an xid, and no snapshot once the statement is over
        age, who = values(Snapshots(), look)[Signal.OLDEST_SNAPSHOT]
        assert age > 0
        assert who == f"session {other.info.backend_pid} of postgres (report)"
        other.rollback()
        other.execute("SET application_name = 'ec backfill a'")
        other.execute("SELECT 1")
        assert values(Snapshots(), look)[Signal.OLDEST_SNAPSHOT] == (0.0, "")


def test_a_prepared_transaction_counts_as_a_snapshot(database: str) -> None:
    """Nobody's session, and still in the way."""
    with scope(database) as look, closing(psycopg.connect(database)) as other:
        other.execute("CREATE TABLE seen (id int)")
        other.execute("PREPARE TRANSACTION 'left'")
        other.rollback()
        try:
            age, who = values(Snapshots(), look)[Signal.OLDEST_SNAPSHOT]
            assert age > 0
            assert who == "prepared transaction left"
        finally:
            look.connection.execute("ROLLBACK PREPARED 'left'")


def test_a_standbys_query_counts_from_when_it_was_first_seen(database: str, standby: LocalServer) -> None:
    """Feedback tells an xmin and no time; as long as it stays the same and transactions go on, it is one snapshot."""
    gauge = Snapshots()
    name = database.rsplit("/", 1)[1]
    with scope(database) as look, closing(psycopg.connect(standby.dsn(), autocommit=True)) as replica:
        replica.execute("ALTER SYSTEM SET hot_standby_feedback = on")
        replica.execute("ALTER SYSTEM SET wal_receiver_status_interval = '1s'")
        replica.execute("SELECT pg_reload_conf()")
        look.connection.execute("CREATE TABLE seen (id int)")
        with closing(psycopg.connect(standby.dsn(name))) as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            wait_until(lambda: _exists(reader))

            def seen() -> bool:
                look.connection.execute("INSERT INTO seen VALUES (1)")
                age, who = values(gauge, look)[Signal.OLDEST_SNAPSHOT]
                return age > 0 and who == "a query on standby walreceiver"

            wait_until(seen)
            reader.rollback()
        wait_until(lambda: values(gauge, look)[Signal.OLDEST_SNAPSHOT] == (0.0, ""))


def _exists(reader: psycopg.Connection) -> bool:
    reader.rollback()
    return reader.execute("SELECT to_regclass('seen') IS NOT NULL").fetchone() == (True,)


def test_dead_rows_are_a_share_of_all(database: str) -> None:
    """Of several relations the worst counts, by name."""
    with scope(database) as empty:
        empty.connection.execute("CREATE TABLE clean (id int) WITH (autovacuum_enabled = off)")
        empty.connection.execute("CREATE TABLE dirty (id int) WITH (autovacuum_enabled = off)")
        for table in ("clean", "dirty"):
            empty.connection.execute(f"INSERT INTO {table} SELECT generate_series(1, 1000)")
        empty.connection.execute("DELETE FROM dirty WHERE id <= 250")
        oids = [empty.connection.execute(f"SELECT '{table}'::regclass::oid").fetchone() for table in ("clean", "dirty")]
    with scope(database, *(row[0] for row in oids if row)) as look:
        wait_until(lambda: values(Dead(), look)[Signal.DEAD_SHARE] == (0.25, "dirty"))


def test_active_sessions_are_the_others(database: str) -> None:
    """Who executes something is counted; the backfill's own sessions are not, and neither is who idles."""
    with scope(database) as look, closing(psycopg.connect(database, autocommit=True)) as other:
        other.execute("SELECT 1")
        before = values(Active(), look)[Signal.ACTIVE_BACKENDS][0]
        other.pgconn.send_query(b"SELECT pg_sleep(60)")
        wait_until(lambda: values(Active(), look)[Signal.ACTIVE_BACKENDS][0] == before + 1)
        other.cancel()


def test_a_vacuum_of_somebody_else_is_seen(database: str) -> None:
    """One on our table counts, one on another does not."""
    with scope(database) as first:
        for table in ("ours", "theirs"):
            first.connection.execute(
                f"CREATE TABLE {table} WITH (autovacuum_enabled = off) AS SELECT n FROM generate_series(1, 20000) AS n"
            )
        row = first.connection.execute("SELECT 'ours'::regclass::oid").fetchone()
        assert row is not None
    with (
        scope(database, row[0]) as look,
        closing(psycopg.connect(database, autocommit=True)) as other,
    ):
        other.execute("SET vacuum_cost_delay = '100ms'")
        other.execute("SET vacuum_cost_limit = 1")
        for table, seen in (("theirs", 0), ("ours", 1)):
            other.pgconn.send_query(f"VACUUM (FREEZE) {table}".encode())
            wait_until(lambda: look.connection.execute(UNDER_WAY).fetchone())
            assert seen == values(Vacuums(), look)[Signal.VACUUMS][0]
            other.cancel()
            while other.pgconn.get_result() is not None:
                pass


@pytest.fixture
def plain(filling: Filling) -> Iterator[str]:
    """The address of the filled database for a role that owns the table and may see nothing of others."""
    filling.prepare(2000)
    filling.sql_one("ANALYZE users")  # else the backfill does, and says so
    role = f"plain_{filling.database.rsplit('/', 1)[1]}"
    filling.sql_one(f"""
        CREATE ROLE {role} LOGIN;
        GRANT USAGE ON SCHEMA expandcontract TO {role};
        GRANT ALL ON ALL TABLES IN SCHEMA expandcontract TO {role};
        GRANT ALL ON SCHEMA public TO {role};
        ALTER TABLE users OWNER TO {role};
        ALTER TABLE written OWNER TO {role};
    """)
    yield filling.database.replace("postgres@", f"{role}@")
    filling.sql_one(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


HIDDEN = {
    Signal.REPLICA_LAG: (Replicas, "how far standbys are"),
    Signal.OLDEST_SNAPSHOT: (Snapshots, "when other roles' transactions began"),
    Signal.ARCHIVE_BACKLOG: (Archiver, "the archiver's files"),
    Signal.ACTIVE_BACKENDS: (Active, "whether other roles' sessions are active"),
}


@pytest.mark.parametrize("signal", HIDDEN)
def test_what_may_not_be_seen_is_unknown(
    filling: Filling, plain: str, signal: Signal, request: pytest.FixtureRequest
) -> None:
    """A role without the privilege is told what it may not see, and the statement that would allow it."""
    if signal is Signal.REPLICA_LAG:
        request.getfixturevalue("standby")
    kind, what = HIDDEN[signal]
    with psycopg.connect(filling.database) as other, scope(plain) as look:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute("SELECT 1 FROM users")
        (unknown,) = [item for item in kind().read(look) if isinstance(item, Unknown) and item.signal is signal]
        assert f"role {look.connection.info.user} may not see {what}" == unknown.why
        assert unknown.grant.endswith(f" TO {look.connection.info.user}")
        other.execute(unknown.grant)
        other.commit()
        other.execute("SELECT 1 FROM users")
        assert [] == [item for item in kind().read(look) if isinstance(item, Unknown) and item.signal is signal]


def test_a_default_that_may_not_be_seen_is_said_once(filling: Filling, plain: str) -> None:
    """The backfill does its work, and says what it could not heed."""
    limits = Limits(of={Signal.ARCHIVE_BACKLOG: 5})
    with running(plain, limits) as backfill:
        last = backfill.finish()
    assert last.rows_filled == 2000
    (said,) = last.notes
    assert "the backfill does not heed it. To let it: GRANT EXECUTE ON FUNCTION pg_ls_archive_statusdir() TO" in said


def test_a_limit_that_was_set_and_may_not_be_seen_is_an_error(filling: Filling, plain: str) -> None:
    """Somebody wanted it heeded: nothing is filled, the setting is named and the grant is given."""
    with (
        pytest.raises(
            BackfillError, match=r"backfill\.throttle\.archive_backlog is set and cannot be heeded"
        ) as caught,
        running(plain, limited(Signal.ARCHIVE_BACKLOG, 5)) as backfill,
    ):
        backfill.finish()
    assert str(caught.value.hint).startswith("GRANT EXECUTE ON FUNCTION pg_ls_archive_statusdir() TO plain_")
    assert [(0,)] == filling.sql("SELECT count(*) FROM written")
