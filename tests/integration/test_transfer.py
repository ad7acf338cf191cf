"""Columns that move to another table: what each write of either table does to the other one, and who wins."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.acceptance.test_together import wait_until
from tests.fix_transfer import NAME, PLAIN

if TYPE_CHECKING:
    from tests.fix_transfer import Database

LOSSY = {"forward": {"bio": "upper(bio)"}, "reverse": {"bio": "lower(bio)"}, "lossy": True}


@pytest.mark.parametrize(
    ("speaks", "statement", "key", "expected"),
    [
        ("", "UPDATE users SET bio = 'x' WHERE id = 1", 1, ("x", "x")),
        ("new", "UPDATE users SET bio = 'x' WHERE id = 1", 1, ("x", "x")),
        ("", "UPDATE profiles SET bio = 'x' WHERE user_id = 1", 1, ("x", "x")),
        ("old", "UPDATE profiles SET bio = NULL WHERE user_id = 1", 1, (None, None)),
        ("", "UPDATE users SET bio = 'x' WHERE id = 11", 11, ("x", None)),
        ("", "INSERT INTO profiles (user_id) VALUES (11)", 11, ("bio 11", "bio 11")),
        ("new", "INSERT INTO profiles (user_id) VALUES (11)", 11, ("bio 11", "bio 11")),
        ("", "INSERT INTO profiles (user_id, bio) VALUES (11, 'x')", 11, ("x", "x")),
        ("", "INSERT INTO users (id, bio) VALUES (30, 'x')", 30, ("x", None)),
        ("", "DELETE FROM profiles WHERE user_id = 1", 1, ("bio 1", None)),
        ("dual", "DELETE FROM profiles WHERE user_id = 1", 1, ("bio 1", None)),
        ("new", "DELETE FROM profiles WHERE user_id = 1", 1, (None, None)),
        ("new", "DELETE FROM users WHERE id = 1", 1, (None, None)),
        ("", "UPDATE users SET id = 40 WHERE id = 1", 40, ("bio 1", "bio 1")),
        ("new", "UPDATE users SET id = 40 WHERE id = 1", 40, ("bio 1", "bio 1")),
        ("old", "UPDATE profiles SET user_id = 12 WHERE user_id = 1", 12, ("bio 12", "bio 12")),
        ("old", "UPDATE profiles SET user_id = 12 WHERE user_id = 1", 1, ("bio 1", None)),
        ("new", "UPDATE profiles SET user_id = 12 WHERE user_id = 1", 12, ("bio 1", "bio 1")),
        ("new", "UPDATE profiles SET user_id = 12 WHERE user_id = 1", 1, (None, None)),
        ("old", "UPDATE profiles SET user_id = 12, bio = 'x' WHERE user_id = 1", 12, ("x", "x")),
        ("", "INSERT INTO profiles VALUES (1, 'a', 'x') ON CONFLICT (user_id) DO UPDATE SET bio = 'y'", 1, ("y", "y")),
        ("", "INSERT INTO profiles VALUES (1, 'a') ON CONFLICT (user_id) DO NOTHING", 1, ("bio 1", "bio 1")),
        ("", "MERGE INTO users USING (SELECT 1) ON id = 1 WHEN MATCHED THEN UPDATE SET bio = 'm'", 1, ("m", "m")),
    ],
)
def test_what_a_write_does_to_the_other_table(
    tables: Database, speaks: str, statement: str, key: int, expected: tuple[object, object]
) -> None:
    """What changed decides; only where that is silent (a deletion, another key) does it matter who is speaking."""
    tables.begin(**PLAIN)
    tables.speak(speaks)
    tables.run(statement)
    assert expected == tables.both(key)
    assert [] == tables.conflicts()


@pytest.mark.parametrize(("speaks", "won"), [("old", "old"), ("", "old"), ("dual", "old"), ("new", "new")])
@pytest.mark.parametrize("first", ["users", "profiles"])
def test_one_statement_that_writes_both(tables: Database, first: str, speaks: str, won: str) -> None:
    """The spoken side wins, whichever was written first, and it is counted once."""
    tables.begin(**PLAIN)
    tables.speak(speaks)
    users = "UPDATE users SET bio = 'old' WHERE id = 1"
    profiles = "UPDATE profiles SET bio = 'new' WHERE user_id = 1"
    one, other = (users, profiles) if first == "users" else (profiles, users)
    tables.run(f"WITH one AS ({one} RETURNING 1) {other}")
    assert (won, won) == tables.both(1)
    assert [won] == tables.conflicts()


def test_one_transaction_that_writes_both(tables: Database) -> None:
    """A release that writes both, one after the other, leaves what it wrote last, and nothing is counted."""
    tables.begin(**PLAIN)
    with tables.connection.transaction():
        tables.run("UPDATE profiles SET bio = 'a' WHERE user_id = 1")
        tables.run("UPDATE users SET bio = 'b' WHERE id = 1")
    assert ("b", "b") == tables.both(1)
    assert [] == tables.conflicts()


def test_a_lossy_transfer_is_not_sent_back(tables: Database) -> None:
    """Each side keeps what was written there, though the way back would give another value."""
    tables.run("UPDATE profiles SET bio = upper(bio)")
    tables.begin(**LOSSY)
    tables.run("UPDATE users SET bio = 'MiXed' WHERE id = 1")
    tables.run("UPDATE profiles SET bio = 'miXed' WHERE user_id = 2")
    tables.run("UPDATE users SET bio = 'Eleven' WHERE id = 11")
    tables.run("INSERT INTO profiles (user_id) VALUES (11)")
    assert [("MiXed", "MIXED"), ("mixed", "miXed"), ("Eleven", "ELEVEN")] == [tables.both(key) for key in (1, 2, 11)]
    assert [] == tables.conflicts()


def test_an_own_trigger_that_alters_the_value_is_carried_over(tables: Database) -> None:
    """What a trigger of the application makes of the value in one table reaches the other, and it ends there."""
    tables.run(
        "CREATE FUNCTION tidy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.bio := trim(NEW.bio); RETURN NEW; END';"
        "CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON profiles FOR EACH ROW EXECUTE FUNCTION tidy()"
    )
    tables.begin(**PLAIN)
    tables.run("UPDATE users SET bio = '  x ' WHERE id = 1")
    tables.run("INSERT INTO users (id, bio) VALUES (30, ' y '); INSERT INTO profiles (user_id) VALUES (30)")
    assert [("x", "x"), (" y ", " y ")] == [tables.both(key) for key in (1, 30)]  # ours is the last before a row
    assert [] == tables.conflicts()


@pytest.mark.parametrize(("speaks", "expected", "won"), [("", "x", "old"), ("new", "x!", "new")])
def test_a_trigger_of_the_application_that_writes_the_other_table(
    tables: Database, speaks: str, expected: str, won: str
) -> None:
    """It wrote both within one statement: the spoken side wins, and that is counted."""
    tables.run(
        "CREATE FUNCTION sign() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN UPDATE profiles SET bio = NEW.bio || ''!'' WHERE user_id = NEW.id; RETURN NULL; END';"
        "CREATE TRIGGER sign AFTER UPDATE OF seen ON users FOR EACH ROW EXECUTE FUNCTION sign()"
    )
    tables.begin(**PLAIN)
    tables.speak(speaks)
    tables.run("UPDATE users SET bio = 'x', seen = 1 WHERE id = 1")
    assert (expected, expected) == tables.both(1)
    assert [won] == tables.conflicts()


def test_unrelated_writes_are_not_called(tables: Database) -> None:
    """An update of other columns runs no function of ours, and neither does the backfill's."""
    tables.begin(**PLAIN)
    with tables.connection.transaction():
        tables.run("SET LOCAL track_functions = 'all'")
        tables.run("UPDATE users SET seen = 1")
        tables.run("UPDATE profiles SET avatar = 'a', bio = bio")
        tables.run("SET LOCAL expandcontract.backfill = 'on'")
        tables.run("UPDATE profiles SET bio = 'filled' WHERE user_id = 1")
        called = tables.connection.execute(
            "SELECT count(*) FROM pg_stat_xact_user_functions WHERE funcname LIKE 'sync%'"
        ).fetchone()
    assert (0,) == called
    assert ("bio 1", "filled") == tables.both(1)


@pytest.mark.parametrize(("speaks", "expected"), [("", "x"), ("old", "x"), ("dual", None), ("new", None)])
def test_a_missing_row_is_made_where_that_was_asked_for(tables: Database, speaks: str, expected: str | None) -> None:
    """For a release that knows nothing of the other table, and never for one that makes its own rows."""
    tables.begin(**PLAIN, create_missing=True)
    tables.speak(speaks)
    tables.run("INSERT INTO users (id, bio) VALUES (30, 'x')")
    tables.run("INSERT INTO users (id) VALUES (31)")
    tables.run("UPDATE users SET bio = 'x' WHERE id = 11")
    assert [("x", expected), ("x", expected)] == [tables.both(30), tables.both(11)]
    assert 0 == tables.connection.execute("SELECT * FROM profiles WHERE user_id = 31").rowcount


def test_several_changes_of_one_table(tables: Database) -> None:
    """A table that is one change's source and mapped by another keeps both, and each goes alone."""
    tables.begin(**PLAIN)
    tables.run("ALTER TABLE users ADD COLUMN visits int")
    shape = (
        '{"mappings": [{"schema": "public", "table": "users", "lossy": false, "forward": [{"column": "visits",'
        ' "sql": "seen"}], "reverse": [{"column": "seen", "sql": "visits"}]}], "fills": [], "removes": [], "holds": []}'
    )
    tables.connection.execute("SELECT expandcontract.begin_change('seen_visits', 'mapped', %s)", (shape,))
    tables.run("UPDATE users SET bio = 'x', seen = 7 WHERE id = 1")
    assert ("x", "x") == tables.both(1)
    assert (7,) == tables.connection.execute("SELECT visits FROM users WHERE id = 1").fetchone()
    assert [] == tables.connection.execute("SELECT * FROM expandcontract.integrity()").fetchall()
    tables.run("UPDATE expandcontract.change SET phase = 'expanded'")
    tables.run(f"SELECT expandcontract.end_change('{NAME}')")
    tables.run(f"UPDATE expandcontract.change SET phase = 'planned' WHERE name = '{NAME}'")
    tables.run("UPDATE users SET bio = 'y', seen = 8 WHERE id = 1")
    assert ("y", "x") == tables.both(1)
    assert (8,) == tables.connection.execute("SELECT visits FROM users WHERE id = 1").fetchone()
    assert [] == tables.connection.execute("SELECT * FROM expandcontract.integrity()").fetchall()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            "DROP TRIGGER zz_expandcontract_moved_update ON users",
            "trigger zz_expandcontract_moved_update of public.users is missing",
        ),
        ("ALTER TABLE profiles DISABLE TRIGGER zz_expandcontract_moved_insert", "of public.profiles is disabled"),
        (
            "ALTER TABLE users RENAME id TO key",
            "column id of public.users, by which users_bio_to_profiles finds its rows",
        ),
        ("ALTER TABLE profiles RENAME bio TO b", "column bio of public.profiles is gone or renamed"),
        (
            """CREATE OR REPLACE TRIGGER zz_expandcontract_moved_update AFTER UPDATE ON users FOR EACH ROW
            WHEN (NEW.id = 1) EXECUTE FUNCTION expandcontract.sync_2()""",
            "the triggers of public.users or their function are not as they were left",
        ),
    ],
)
def test_damage_is_seen_on_both_tables(tables: Database, damage: str, said: str) -> None:
    """A trigger or column that is missing or altered is named, whichever of the two tables it is of."""
    tables.begin(**PLAIN)
    assert [] == tables.connection.execute("SELECT * FROM expandcontract.integrity()").fetchall()
    tables.run(damage)
    found = tables.connection.execute("SELECT what FROM expandcontract.integrity()").fetchall()
    assert [said] == [said for (what,) in found if said in what][:1]


def test_a_row_that_is_inserted_while_its_value_changes(tables: Database) -> None:
    """The insert waits for the writer that has the value's row, and takes what that leaves."""
    tables.begin(**PLAIN)
    with psycopg.connect(tables.address) as writer, psycopg.connect(tables.address, autocommit=True) as other:
        writer.execute("UPDATE users SET bio = 'later' WHERE id = 11")
        pid = other.info.backend_pid
        insert = threading.Thread(
            target=other.execute, args=("INSERT INTO profiles (user_id) VALUES (11)",), daemon=True
        )
        insert.start()
        waiting = f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND wait_event_type = 'Lock'"
        wait_until(lambda: tables.connection.execute(waiting).fetchone() is not None)
        writer.commit()
        insert.join(timeout=30)
    assert ("later", "later") == tables.both(11)


def test_a_value_that_changes_while_its_row_is_inserted(tables: Database) -> None:
    """The other way round: the writer waits for the insert, and reaches the row that it made."""
    tables.begin(**PLAIN)
    with psycopg.connect(tables.address) as inserter, psycopg.connect(tables.address, autocommit=True) as other:
        inserter.execute("INSERT INTO profiles (user_id) VALUES (11)")
        pid = other.info.backend_pid
        update = threading.Thread(
            target=other.execute, args=("UPDATE users SET bio = 'later' WHERE id = 11",), daemon=True
        )
        update.start()
        waiting = f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND wait_event_type = 'Lock'"
        wait_until(lambda: tables.connection.execute(waiting).fetchone() is not None)
        inserter.commit()
        update.join(timeout=30)
    assert ("later", "later") == tables.both(11)
