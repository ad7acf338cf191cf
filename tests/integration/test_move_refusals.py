"""What ``ec new move-column`` refuses on the database that there is, with the reason, before anything is written."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from expandcontract.errors import ExpandContractError
from expandcontract.ledger.install import install
from expandcontract.pg.connect import connect, parse
from expandcontract.revisions.recipes import draft

TABLES = """
CREATE TABLE users (id int PRIMARY KEY, nick text, bio text);
CREATE TABLE profiles (user_id int PRIMARY KEY REFERENCES users, motto text DEFAULT 'none');
INSERT INTO users SELECT n, 'n', 'bio ' || n FROM generate_series(1, 1500) AS n;
INSERT INTO profiles SELECT id FROM users;
"""
ASKED = {"table": "users", "columns": ["bio"], "to": "profiles", "key": ["user_id=id"]}


def drafted(database: str, setup: str, arguments: dict[str, Any]) -> Any:
    """The draft on a database that was set up so."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLES)
        connection.execute(setup)
    with connect(parse(database), command="test") as connection, connection.begin():
        install(connection)
        return draft(connection, "move-column", **{**ASKED, **arguments})


@pytest.mark.parametrize(
    ("setup", "arguments", "said"),
    [
        ("ALTER TABLE profiles DROP CONSTRAINT profiles_pkey", {}, "user_id of profiles is not unique"),
        ("SELECT", {"key": ["motto=nick"]}, "motto of profiles is not unique"),
        (
            "UPDATE profiles SET motto = user_id; ALTER TABLE profiles ADD UNIQUE (motto)",
            {"key": ["motto=nick"]},
            "nick of users is not unique",
        ),
        ("ALTER TABLE profiles ENABLE ROW LEVEL SECURITY", {}, "profiles has row security"),
        ("ALTER TABLE users ALTER bio SET NOT NULL", {}, "users.bio has NOT NULL"),
        ("ALTER TABLE users ALTER bio SET DEFAULT 'x'", {}, "users.bio has a default"),
        ("ALTER TABLE profiles ADD bio text", {}, "profiles has a column 'bio' already"),
        ("DELETE FROM profiles WHERE user_id IN (3, 4)", {}, r"2 rows of users have a value and no row.*: \(3\) \(4\)"),
        ("DELETE FROM profiles", {}, "more than 1000 rows of users have a value and no row of profiles"),
        (
            "ALTER TABLE profiles ALTER motto DROP DEFAULT, ALTER motto SET NOT NULL",
            {"create_missing": True},
            "rows of profiles cannot be inserted by key alone: motto",
        ),
        ("SELECT", {"using": "upper(bio)", "reverse": "bio"}, "does not lead back for 1500 of all 1500 rows"),
        ("SELECT", {"using": "upper(bio)"}, "--using and --reverse go together"),
        ("SELECT", {"using": "bio", "reverse": "bio", "columns": ["bio", "nick"]}, "are for one column"),
        ("SELECT", {"using": "(now()::text)", "reverse": "bio"}, "is volatile, or its value depends on settings"),
        ("SELECT", {"using": "motto", "reverse": "bio"}, "motto"),
        ("SELECT", {"columns": []}, "nothing says which columns of users move"),
        ("SELECT", {"key": []}, "nothing says which row of profiles belongs to which of users"),
        ("SELECT", {"key": ["users=id"]}, "table profiles has no column 'users'"),
        ("SELECT", {"to": "users", "key": ["id=id"], "columns": ["nick"]}, "has a column 'nick' already"),
        ("CREATE TABLE kid () INHERITS (profiles)", {}, "kid inherits from profiles"),
        ("CREATE TABLE kid () INHERITS (users)", {}, "kid inherits from users"),
        (
            "CREATE SCHEMA other; ALTER TABLE profiles SET SCHEMA other; GRANT UPDATE ON users TO app_blue",
            {"to": "other.profiles"},
            "app_blue writes users, and may not use the schema other",
        ),
    ],
)
def test_refused(database: str, setup: str, arguments: dict[str, Any], said: str) -> None:
    """The reason is told; nothing has been written or changed."""
    with pytest.raises(ExpandContractError, match=said):
        drafted(database, setup, arguments)


@pytest.mark.parametrize(
    ("setup", "arguments", "said"),
    [
        ("ALTER TABLE profiles DROP CONSTRAINT profiles_user_id_fkey", {}, "no foreign key leads from profiles"),
        ("DELETE FROM profiles", {"create_missing": True}, "must be ready for a row that is there"),
        ("SELECT", {"using": "upper(bio)", "reverse": "bio", "lossy": True}, "the transfer is lossy"),
        ("CREATE INDEX by_bio ON users (bio)", {}, "index by_bio goes with bio"),
        ("CREATE VIEW v AS SELECT bio FROM users", {}, "view v names bio"),
    ],
)
def test_told(database: str, setup: str, arguments: dict[str, Any], said: str) -> None:
    """What the developer should know is noted."""
    assert [] != [note for note in drafted(database, setup, arguments).notes if said in note]
