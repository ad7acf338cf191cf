"""Two tables between which a column moves, and a session on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.core.change import Change
from expandcontract.core.transfer import Transfer
from expandcontract.ledger.install import install
from expandcontract.pg.connect import connect, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "users_bio_to_profiles"
TABLES = """
CREATE TABLE users (id int PRIMARY KEY, bio text, seen int);
CREATE TABLE profiles (user_id int UNIQUE REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE, avatar text, bio text);
INSERT INTO users SELECT n, 'bio ' || n FROM generate_series(1, 20) AS n;
INSERT INTO profiles (user_id, bio) SELECT n, 'bio ' || n FROM generate_series(1, 10) AS n;
"""
PLAIN = {"forward": {"bio": "bio"}, "reverse": {"bio": "bio"}}
BOTH = "SELECT (SELECT bio FROM users WHERE id = {0}), (SELECT bio FROM profiles WHERE user_id = {0})"


class Database:
    """A database with the two tables and their triggers, and sessions on it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.connection = psycopg.connect(address, autocommit=True)

    def begin(self, **declared: object) -> None:
        """Make hold and triggers of a transfer."""
        transfer = Transfer("users", "profiles", key={"user_id": "id"}, **declared)  # type: ignore[arg-type]
        change = Change(NAME, transfer=transfer)
        with connect(parse(self.address), command="test") as connection, connection.begin():
            install(connection)
        self.connection.execute(
            "SELECT expandcontract.begin_change(%s, 'mapped', %s)",
            (NAME, psycopg.types.json.Jsonb(change.shape.document())),
        )

    def speak(self, shape: str) -> None:
        """Say what the session speaks."""
        self.connection.execute("SELECT set_config('expandcontract.speaks', %s, false)", (f"{NAME}={shape}",))

    def run(self, statement: str) -> None:
        """One statement, in a transaction of its own."""
        self.connection.execute(statement)

    def both(self, key: int) -> tuple[object, object]:
        """The value in the one table and in the other."""
        row = self.connection.execute(BOTH.format(key)).fetchone()
        assert row is not None
        return row[0], row[1]

    def conflicts(self) -> list[str]:
        """Who won, each time that one statement wrote both."""
        return [row[0] for row in self.connection.execute("SELECT won FROM expandcontract.conflict")]


@pytest.fixture
def tables(database: str) -> Iterator[Database]:
    """The tables, filled for ten of twenty users; no change is open yet."""
    found = Database(database)
    found.run(TABLES)
    yield found
    found.connection.close()
