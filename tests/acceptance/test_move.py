"""``ec new move-column`` as a developer meets it: what it writes, who may write then, and rows that have no place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer
    from tests.fix_project import Project

MOVE = "users_bio_to_profiles"
NEW = ("new", "move-column", "users", "bio", "--to", "profiles", "--key", "user_id=id")
TABLES = """
ALTER TABLE users ADD COLUMN bio text;
UPDATE users SET bio = 'bio ' || id;
CREATE TABLE profiles (user_id bigint PRIMARY KEY REFERENCES users, motto text DEFAULT 'none');
INSERT INTO profiles SELECT id FROM users;
"""


@pytest.fixture
def moving(bare: Project) -> Project:
    """Users who each have a profile, and a bio that stands with the user."""
    bare.sql(TABLES)
    return bare


def test_what_is_written_is_clean(moving: Project) -> None:
    """The pair passes our own lint, squawk included, warnings too."""
    moving.ec(*NEW)
    moving.ec("lint", MOVE, "--strict")


def test_writers_of_one_table_may_reach_the_other(moving: Project, server: LocalServer) -> None:
    """Each role is granted what the triggers need, and the roll-back takes back just that."""
    moving.sql("GRANT SELECT, INSERT ON profiles TO app_green; GRANT UPDATE (motto) ON profiles TO app_green")
    moving.sql("REVOKE ALL ON users FROM app_green; GRANT SELECT (nick) ON users TO app_green")
    acls = "SELECT attrelid::regclass::text, attname, attacl FROM pg_attribute WHERE attacl IS NOT NULL ORDER BY 1, 2"
    before = moving.sql(acls)
    said = moving.ec(*NEW)
    assert "app_blue is granted what the triggers need in profiles" in said
    moving.ec("advance", MOVE)
    name = moving.database.rsplit("/", 1)[1]
    with psycopg.connect(server.dsn(name, user="app_blue"), autocommit=True) as blue:
        blue.execute("UPDATE users SET bio = 'by blue' WHERE id = 1")
        blue.execute("INSERT INTO users (full_name, bio) VALUES ('X', 'by blue too')")
    with psycopg.connect(server.dsn(name, user="app_green"), autocommit=True) as green:
        green.execute("INSERT INTO profiles (user_id) VALUES (5001)")
    assert [("by blue",), ("by blue too",)] == moving.sql("SELECT bio FROM profiles WHERE user_id IN (1, 5001)")
    moving.ec("rollback", MOVE)
    assert before == moving.sql(acls)


def test_a_value_without_a_row_closes_the_gate(moving: Project) -> None:
    """It is counted and named, no repair invents a row; once the row is inserted, the way is free."""
    moving.ec(*NEW)
    moving.ec("advance", MOVE)
    moving.ec("advance", MOVE, "--by", "database")
    moving.sql("INSERT INTO users (full_name, bio) VALUES ('X', 'nowhere')")
    said = moving.ec("advance", MOVE, expect=3).replace("\n", " ")
    assert "1 rows of users have a value and no row of profiles to hold it, first: users id=" in said
    assert "1 rows differ between the old and the new shape, or have a value and no row of profiles" in said
    moving.sql("INSERT INTO profiles (user_id) VALUES (5001)")
    moving.ec("advance", MOVE)
    assert [("backfilled",)] == moving.sql(f"SELECT expandcontract.phase('{MOVE}')")
    assert [("nowhere",)] == moving.sql("SELECT bio FROM profiles WHERE user_id = 5001")


def test_straight_through_down_and_up_again(moving: Project) -> None:
    """On a development database the pair runs in one go, and its downgrade brings every value back."""
    moving.sql("DELETE FROM profiles WHERE user_id > 10")
    moving.ec(*NEW, "--create-missing")
    moving.sql("DELETE FROM expandcontract.release")
    moving.ec("init", "--development")
    moving.run("alembic", "upgrade", "heads")
    assert [(5000,)] == moving.sql("SELECT count(*) FROM profiles WHERE bio = 'bio ' || user_id")
    moving.run("alembic", "downgrade", "contract@-1")
    assert [(5000,)] == moving.sql("SELECT count(*) FROM users WHERE bio = 'bio ' || id")
    moving.sql("UPDATE users SET bio = 'x' WHERE id = 1")
    assert [("x",)] == moving.sql("SELECT bio FROM profiles WHERE user_id = 1")
    moving.run("alembic", "upgrade", "heads")
    assert [("x",)] == moving.sql("SELECT bio FROM profiles WHERE user_id = 1")
