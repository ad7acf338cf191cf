"""Clients write one value through two tables at once: none that was acknowledged is lost, and both tables agree."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from expandcontract.backfill import statement
from expandcontract.backfill.batch import batch
from expandcontract.core.transfer import Transfer
from expandcontract.ledger.segments import Segments
from expandcontract.pg.quoting import identifier
from tests.acceptance.test_together import wait_until
from tests.fix_transfer import NAME, PLAIN, Database

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 400
HOT = 15
WRITES = 300
MOVE = Transfer("users", "profiles", key={"user_id": "id"}, **PLAIN)  # type: ignore[arg-type]
PAGES = {"first": 0, "end": 2**31, "stripe": 0, "stripes": 1}
DIFFERING = "SELECT count(*) FROM users JOIN profiles ON user_id = id WHERE users.bio IS DISTINCT FROM profiles.bio"
FROM_A_SNAPSHOT = "UPDATE profiles SET bio = u.bio FROM users AS u WHERE u.id = user_id AND profiles.bio IS NULL"
BY = {
    "users": "UPDATE users SET bio = %s WHERE id = %s",
    "profiles": "UPDATE profiles SET bio = %s WHERE user_id = %s",
}


@dataclass
class Book:
    """The last acknowledged write of each key, by the turn that it took while it held both rows."""

    last: dict[int, tuple[int, str | None]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    acknowledged: int = 0
    deadlocks: int = 0

    def keep(self, key: int, turn: int, value: str | None) -> None:
        """An acknowledged write; an earlier one of the same row is forgotten."""
        with self.lock:
            self.acknowledged += 1
            if key not in self.last or self.last[key][0] < turn:
                self.last[key] = (turn, value)


class Writer(threading.Thread):
    """Writes through one of the tables; a deadlock is told, and the write made again.

    NULL is written through the old one only: in a new shape that is not filled yet it changes nothing, and no release
    that writes only there fits before it is.
    """

    def __init__(self, address: str, book: Book, number: int) -> None:
        super().__init__(daemon=True)
        self.address, self.book, self.number = address, book, number
        self.table = list(BY)[number % 2]
        self.failure: Exception | None = None

    def run(self) -> None:
        """All the writes; whatever is no deadlock ends it and is kept."""
        try:
            with psycopg.connect(self.address, autocommit=True) as connection:
                for count in range(WRITES):
                    key = 1 + (count * 7 + self.number * 3) % (HOT if count % 2 else ROWS)
                    value = None if self.table == "users" and count % 5 == 0 else f"{self.table} {self.number} {count}"
                    while not self._write(connection, key, value):
                        self.book.deadlocks += 1
        except psycopg.Error as exc:
            self.failure = exc

    def _write(self, connection: psycopg.Connection, key: int, value: str | None) -> bool:
        try:
            with connection.transaction():
                connection.execute(sql.SQL(BY[self.table]), (value, key))
                turn = connection.execute("SELECT nextval('turn')").fetchone()
        except psycopg.errors.DeadlockDetected:
            return False
        assert turn is not None
        self.book.keep(key, turn[0], value)
        return True


@pytest.fixture
def unfilled(tables: Database) -> Iterator[Database]:
    """Every user has a profile, and none is filled yet; a deadlock is found soon."""
    tables.run("DELETE FROM profiles; DELETE FROM users")
    tables.run(f"INSERT INTO users SELECT n, 'bio ' || n FROM generate_series(1, {ROWS}) AS n")
    tables.run("INSERT INTO profiles (user_id) SELECT id FROM users")
    tables.run("CREATE SEQUENCE turn")
    name = tables.address.rsplit("/", 1)[1]
    tables.connection.execute(sql.SQL("ALTER DATABASE {} SET deadlock_timeout = '20ms'").format(sql.Identifier(name)))
    tables.begin(**PLAIN)
    return tables


def test_no_acknowledged_write_is_lost(unfilled: Database) -> None:
    """Four writers from both sides and the backfill at once: each row holds its last acknowledged write, in both."""
    book = Book()
    writers = [Writer(unfilled.address, book, number) for number in range(4)]
    for writer in writers:
        writer.start()
    with psycopg.connect(unfilled.address, autocommit=True) as filling:
        while any(writer.is_alive() for writer in writers):
            for query in (statement.fill, statement.repair):
                _one(filling, query(MOVE, identifier("public", "profiles")))
    assert [] == [writer.failure for writer in writers if writer.failure]
    assert len(writers) * WRITES == book.acknowledged
    expected = {key: (value, value) for key, (_, value) in book.last.items()}
    assert expected == {key: unfilled.both(key) for key in book.last}
    assert (0,) == unfilled.connection.execute(DIFFERING).fetchone()
    assert [] == unfilled.conflicts()


def _one(connection: psycopg.Connection, query: sql.Composed) -> None:
    batch(connection, Segments(connection, "moved"), lambda: connection.execute(query, PAGES))


def test_two_writers_that_wait_for_each_other(unfilled: Database) -> None:
    """One of them is told of the deadlock and is not acknowledged; the other's write is in both tables."""
    failed: list[str] = []
    with psycopg.connect(unfilled.address) as old, psycopg.connect(unfilled.address) as new:
        old.execute("UPDATE users SET seen = 1 WHERE id = 1")
        write = threading.Thread(target=_written, args=(new, "profiles", failed), daemon=True)
        write.start()
        wait_until(lambda: _waits(unfilled, new))
        _written(old, "users", failed)
        write.join(timeout=30)
    assert 1 == len(failed)
    won = "users" if failed == ["profiles"] else "profiles"
    assert (won, won) == unfilled.both(1)


def _written(connection: psycopg.Connection, table: str, failed: list[str]) -> None:
    try:
        connection.execute(sql.SQL(BY[table]), (table, 1))
        connection.commit()
    except psycopg.errors.DeadlockDetected:
        connection.rollback()
        failed.append(table)


def _waits(tables: Database, session: psycopg.Connection) -> bool:
    query = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
    return tables.connection.execute(query, (session.info.backend_pid,)).fetchone() is not None


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "from a snapshot"])
@pytest.mark.parametrize(("table", "value"), [("users", None), ("users", "written"), ("profiles", "written")])
def test_a_backfill_that_meets_a_write(unfilled: Database, table: str, value: str | None, *, ours: bool) -> None:
    """Ours locks the source's row first and keeps what it finds; values from a snapshot bring an emptied one back."""
    with psycopg.connect(unfilled.address) as writer, psycopg.connect(unfilled.address) as filling:
        writer.execute(sql.SQL(BY[table]), (value, 7))
        backfill = threading.Thread(target=_fill, args=(filling,), kwargs={"ours": ours}, daemon=True)
        backfill.start()
        wait_until(lambda: _waits(unfilled, filling) or not backfill.is_alive())
        writer.commit()
        backfill.join(timeout=60)
    assert (value, "bio 7" if value is None and not ours else value) == unfilled.both(7)
    assert ("bio 8", "bio 8") == unfilled.both(8)


def _fill(connection: psycopg.Connection, *, ours: bool) -> None:
    with connection.transaction():
        connection.execute("SET LOCAL expandcontract.backfill = 'on'")
        if ours:
            connection.execute(statement.fill(MOVE, identifier("public", "profiles")), PAGES)
        else:
            connection.execute(FROM_A_SNAPSHOT)


def test_what_the_hammer_catches(unfilled: Database) -> None:
    """The same writers with the trigger of one table off: the book finds the loss."""
    unfilled.run("ALTER TABLE profiles DISABLE TRIGGER zz_expandcontract_moved_update")
    book = Book()
    writers = [Writer(unfilled.address, book, number) for number in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=120)
    assert [] == [writer.failure for writer in writers if writer.failure]
    assert NAME == unfilled.connection.execute("SELECT name FROM expandcontract.change").fetchall()[0][0]
    assert [key for key, (_, value) in book.last.items() if unfilled.both(key) != (value, value)]
