"""Writers of both shapes against a backfill whose race is held open: rows are unfilled again after every pass.

Our statement loses no acknowledged write. The four forms that take values from a snapshot lose some, the same book
catches every one of them, and a comparison of the two shapes sees nothing of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill import statement
from expandcontract.core.mapping import Mapping
from expandcontract.pg.quoting import identifier
from tests.fix_project import CHANGE
from tests.fix_writers import Book, Writer, end, ended

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.pg.server import LocalServer
    from tests.fix_project import Project

pytestmark = pytest.mark.slow
BOTH = ("full_name", "display_name")
MAPPING = Mapping("users", forward={"display_name": "full_name"}, reverse={"full_name": "display_name"})
ROWS = 200
"""So few that every pass meets every writer."""
ROUND_S = 3.0
ROUNDS = 12
"""The most rounds that a form gets to be caught in; the first nearly always does."""
PASSES_OF_OURS = 3
SOURCE = "SELECT id, full_name AS value FROM users WHERE display_name IS NULL"


def _ours(connection: psycopg.Connection) -> int:
    with connection.transaction():
        connection.execute("SET LOCAL expandcontract.backfill = 'on'")
        values = {"first": 0, "end": 2**31, "stripe": 0, "stripes": 1}
        return connection.execute(statement.fill(MAPPING, identifier("public", "users")), values).rowcount


def _select(connection: psycopg.Connection) -> int:
    return connection.execute(
        f"UPDATE users SET display_name = s.value FROM ({SOURCE}) AS s WHERE s.id = users.id"
    ).rowcount


def _materialized(connection: psycopg.Connection) -> int:
    return connection.execute(
        f"WITH s AS MATERIALIZED ({SOURCE}) UPDATE users SET display_name = s.value FROM s WHERE s.id = users.id"
    ).rowcount


def _merge(connection: psycopg.Connection) -> int:
    return connection.execute(
        f"MERGE INTO users USING ({SOURCE}) AS s ON s.id = users.id WHEN MATCHED THEN UPDATE SET display_name = s.value"
    ).rowcount


def _read_then_write(connection: psycopg.Connection) -> int:
    with connection.transaction():
        rows = connection.execute(SOURCE).fetchall()
        connection.cursor().executemany(
            "UPDATE users SET display_name = %s WHERE id = %s", [(value, key) for key, value in rows]
        )
    return len(rows)


BAD: dict[str, Callable[[psycopg.Connection], int]] = {
    "UPDATE FROM a subselect": _select,
    "materialized CTE without a lock": _materialized,
    "MERGE": _merge,
    "read, then write": _read_then_write,
}


class Race:
    """A table between the two shapes, writers of both, and a form of backfill.

    Args:
        project: Its change stands in ``expanded``.
        server: Where the writers log in as the colors' roles.
    """

    def __init__(self, project: Project, server: LocalServer) -> None:
        self.project, self.server = project, server
        self.book = Book()
        self.filled = 0
        project.ec("advance", CHANGE)
        project.sql(f"DELETE FROM users WHERE id > {ROWS}")

    def run(self, form: Callable[[psycopg.Connection], int]) -> dict[tuple[int, str], tuple[object, object]]:
        """One round; what the book misses afterwards."""
        name = self.project.database.rsplit("/", 1)[1]
        writers = [
            Writer(self.server.dsn(name, user=role), self.book, number, shape, told=False, rows=ROWS)
            for number, (shape, role) in enumerate((("old", "app_blue"), ("new", "app_green"), ("old", "app_blue")))
        ]
        with ended(writers), psycopg.connect(self.project.database, autocommit=True) as connection:
            for writer in writers:
                writer.start()
            until = time.monotonic() + ROUND_S
            while time.monotonic() < until:
                with connection.transaction():
                    connection.execute("SET LOCAL session_replication_role = replica")
                    connection.execute("UPDATE users SET display_name = NULL")
                self.filled += form(connection)
            end(writers)
            _ours(connection)
        assert all(writer.updates for writer in writers)
        return self.book.lost(self.project, BOTH)


def test_ours_loses_nothing(project: Project, server: LocalServer) -> None:
    """Some rounds, each with hundreds of passes over rows that are being written."""
    race = Race(project, server)
    for _ in range(PASSES_OF_OURS):
        assert {} == race.run(_ours)
    assert race.filled > 10 * ROWS
    assert len(race.book.last) > ROWS


@pytest.mark.parametrize("form", BAD)
def test_the_book_catches(project: Project, server: LocalServer, form: str) -> None:
    """Acknowledged writes are gone, and both shapes agree all the same."""
    race = Race(project, server)
    for _ in range(ROUNDS):
        lost = race.run(BAD[form])
        if lost:
            break
    assert lost
    assert {key for key, column in lost if column == BOTH[0]} == {key for key, column in lost if column == BOTH[1]}
    assert [(0,)] == project.sql("SELECT count(*) FROM users WHERE full_name IS DISTINCT FROM display_name")
