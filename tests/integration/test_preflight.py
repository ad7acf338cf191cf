"""Each check of the preflight finds what it is for, and says nothing of a table in good order."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.core.facts import Severity
from expandcontract.core.mapping import Table
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.preflight import QUERIES, preflight

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.facts import Finding
    from expandcontract.pg.server import LocalServer

USERS = Table.parse("users")
CONTRIB_MISSES = 16
FUNCTION = "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"


@contextmanager
def _roles(dsn: str, statement: str) -> Iterator[None]:
    with psycopg.connect(dsn, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(statement.format(name))
        yield
        connection.execute(f"ALTER ROLE app_blue IN DATABASE {name} RESET ALL")


@pytest.fixture
def users(database: str) -> str:
    """The address of a database with a plain table."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE users (id int PRIMARY KEY, name text)")
    return database


def _found(dsn: str, *keyed: str) -> list[Finding]:
    with connect(parse(dsn), command="test") as connection:
        return [f for f in preflight(connection, [USERS], keyed=keyed) if "fsync" not in f.what]


def test_a_table_in_good_order(users: str) -> None:
    """Nothing is refused and nothing warned of."""
    assert [] == _found(users)


def test_a_server_that_forgets(users: str) -> None:
    """A server that does not wait for its disk is warned of, by its settings' names."""
    with connect(parse(users), command="test") as connection:
        found = [f for f in preflight(connection, []) if "fsync" in f.what]
    assert [
        ("fsync and full_page_writes is off: a crash of the server loses what was acknowledged", Severity.WARN)
    ] == [(f.what, f.severity) for f in found]


SITUATIONS = {
    "table_inherited": (
        "CREATE TABLE staff () INHERITS (users)",
        Severity.REFUSE,
        "public.users has child tables by inheritance (staff)",
    ),
    "table_inherits": (
        "CREATE TABLE person (age int); ALTER TABLE users ADD age int; ALTER TABLE users INHERIT person",
        Severity.REFUSE,
        "public.users inherits its columns from person",
    ),
    "table_rules": (
        "CREATE RULE quiet AS ON UPDATE TO users DO INSTEAD NOTHING",
        Severity.REFUSE,
        "rule quiet rewrites writes to public.users",
    ),
    "table_triggers": (
        f"{FUNCTION}; CREATE TRIGGER audit AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION keep()",
        Severity.WARN,
        "trigger audit of public.users fires for every row that the backfill writes",
    ),
    "table_later_trigger": (
        f"{FUNCTION}; CREATE TRIGGER zzz BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION keep()",
        Severity.REFUSE,
        "trigger zzz fires after ours and could undo it",
    ),
    "table_unlogged": ("ALTER TABLE users SET UNLOGGED", Severity.WARN, "public.users is unlogged"),
    "table_autovacuum_off": (
        "ALTER TABLE users SET (autovacuum_enabled = off)",
        Severity.WARN,
        "autovacuum is off for public.users",
    ),
    "table_published": ("CREATE PUBLICATION p FOR TABLE users", Severity.WARN, "public.users is in publication p"),
    "server_publication": (
        "CREATE PUBLICATION everything FOR ALL TABLES",
        Severity.WARN,
        "publication everything is FOR ALL TABLES",
    ),
    "server_event_triggers": (
        (
            "CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
            "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION watch()"
        ),
        Severity.WARN,
        "event trigger watch runs with each DDL statement (ddl_command_end)",
    ),
    "table_foreign_partition": (
        (
            "DROP TABLE users; CREATE TABLE users (id int, name text) PARTITION BY RANGE (id);"
            "CREATE FOREIGN DATA WRAPPER none; CREATE SERVER far FOREIGN DATA WRAPPER none;"
            "CREATE FOREIGN TABLE users_far PARTITION OF users DEFAULT SERVER far"
        ),
        Severity.REFUSE,
        "partition users_far is a foreign table, and no setting says by which key it is filled",
    ),
    "table_access_method": (
        (
            "DROP TABLE users; CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;"
            "CREATE TABLE users (id int, name text) PARTITION BY RANGE (id);"
            "CREATE TABLE users_rest PARTITION OF users DEFAULT USING pile"
        ),
        Severity.REFUSE,
        "public.users_rest keeps its rows by access method pile, and has no primary key to fill it by",
    ),
}


@pytest.mark.parametrize("check", SITUATIONS)
def test_a_check_finds_what_it_is_for(users: str, check: str) -> None:
    """In the situation that the check is for there is just its finding, with what was found and a way out."""
    statements, severity, said = SITUATIONS[check]
    with psycopg.connect(users, autocommit=True) as connection:
        connection.execute(statements)
    found = [finding for finding in _found(users) if said in finding.what]
    assert [severity] == [finding.severity for finding in found], _found(users)
    assert found[0].fix or check == "table_unlogged"


def test_another_access_method_with_a_key(users: str) -> None:
    """Its rows can be filled by key, which is only said."""
    with psycopg.connect(users, autocommit=True) as connection:
        connection.execute(
            "DROP TABLE users; CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;"
            "CREATE TABLE users (id int PRIMARY KEY, name text) PARTITION BY RANGE (id);"
            "CREATE TABLE users_pile PARTITION OF users FOR VALUES FROM (0) TO (10) USING pile"
        )
    assert [(Severity.WARN, "public.users_pile keeps its rows by access method pile: it is filled by key")] == [
        (finding.severity, finding.what.partition(",")[0]) for finding in _found(users)
    ]


def test_a_foreign_partition_with_a_key(users: str) -> None:
    """What the setting's name says is known is said once more."""
    statements, _, _ = SITUATIONS["table_foreign_partition"]
    with psycopg.connect(users, autocommit=True) as connection:
        connection.execute(statements)
    said = "partition users_far is a foreign table: its own server must have the new columns before"
    assert [(Severity.WARN, said)] == [
        (finding.severity, finding.what.partition(",")[0]) for finding in _found(users, "public.users_far")
    ]


def test_a_role_that_fires_no_trigger(users: str) -> None:
    """A role whose sessions are replicas would write past the triggers, and is refused by name."""
    with _roles(users, "ALTER ROLE app_blue IN DATABASE {} SET session_replication_role = replica"):
        found = _found(users)
    assert ["role app_blue writes with session_replication_role = replica, and no trigger fires for it"] == [
        finding.what for finding in found
    ]
    assert Severity.REFUSE is found[0].severity


def test_a_session_that_sleeps_in_a_transaction(users: str) -> None:
    """Who holds a lock on the table and does nothing is named, with its process, role and locks."""
    with psycopg.connect(users, application_name="forgotten") as sleeper:
        sleeper.execute("LOCK TABLE users IN SHARE MODE")
        with psycopg.connect(users, autocommit=True) as clock:
            clock.execute("SELECT pg_sleep(1.2)")
        found = _found(users)
        assert 1 == len(found)
        assert (
            f"backend {sleeper.info.backend_pid} of postgres (forgotten) has been idle in a transaction"
            in found[0].what
        )
        assert "holds ShareLock on public.users" in found[0].what


def test_what_the_role_may_not(server: LocalServer, users: str) -> None:
    """A role that does not own the table, or whom a policy hides rows from, is refused with what would change that."""
    with psycopg.connect(users, autocommit=True) as connection:
        connection.execute("ALTER TABLE users OWNER TO app_blue; ALTER TABLE users FORCE ROW LEVEL SECURITY")
    name = users.rsplit("/", 1)[1]
    hidden = [(finding.what, finding.fix) for finding in _found(server.dsn(name, user="app_blue"))]
    assert ("app_blue does not see how long", "GRANT pg_read_all_stats TO app_blue") == (
        hidden[0][0][:30],
        hidden[0][1],
    )
    del hidden[0]
    assert 1 == len(hidden)
    assert "public.users forces row level security, and app_blue does not bypass it" in hidden[0][0]
    assert "ALTER ROLE app_blue BYPASSRLS" == hidden[0][1]
    strange = [finding.what for finding in _found(server.dsn(name, user="app_green"))]
    assert "public.users belongs to app_blue, and app_green may not alter it" in strange


def test_a_prepared_transaction(users: str) -> None:
    """A prepared transaction that holds a lock on the table is refused, with the statements that end it."""
    with psycopg.connect(users) as connection:
        connection.execute("LOCK TABLE users")
        connection.execute("PREPARE TRANSACTION 'left'")
    found = [finding.what for finding in _found(users)]
    with psycopg.connect(users, autocommit=True) as connection:
        connection.execute("ROLLBACK PREPARED 'left'")
    assert ["prepared transaction left holds a lock on public.users"] == found


def test_statements_that_a_new_column_breaks(server: LocalServer, users: str) -> None:
    """Where pg_stat_statements is there, SELECT *, COPY and INSERT without columns are found, with who runs them."""
    if server.version == CONTRIB_MISSES:
        pytest.skip("the wheel of PostgreSQL 16 has no contrib modules")
    with psycopg.connect(users, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_stat_statements")
        connection.execute("SELECT pg_stat_statements_reset()")
        for statement in (
            "SELECT * FROM users WHERE id = 1",
            "INSERT INTO users VALUES (1, 'a')",
            "SELECT id FROM users",
        ):
            connection.execute(statement)
    found = sorted(finding.what.split(": ", 1)[1] for finding in _found(users))
    assert ["INSERT INTO users VALUES ($1, $2)", "SELECT * FROM users WHERE id = $1"] == found


def test_every_check_has_a_test() -> None:
    """No query is left out but those that need a second server, a running vacuum or another superuser's settings."""
    elsewhere = {
        "server_version",
        "server_standby",
        "server_old_snapshots",
        "server_replica_lag",
        "table_subscribed",
        "table_columns",
        "table_wraparound",
        "table_vacuum_running",
    }
    apart = {"server_durability", "server_replication_role", "table_idle_in_transaction", "table_prepared"}
    tested = {*SITUATIONS, *apart, "server_statistics", "table_owner", "table_row_security"}
    assert set(QUERIES) == elsewhere | tested | {"statements_star"}
