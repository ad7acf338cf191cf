"""Clients that write all the time, and the book of every write that was acknowledged to them.

Each write raises the row's ``visits`` under its lock and is told the number, so that the book knows, whoever raced
whom, which acknowledged write of a row was the last. The end is compared with the book, not only old with new: once
triggers keep both shapes equal, a write lost in both shows no difference.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from tests.fix_project import CHANGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.fix_project import Project

ROWS = 5000
THINKS_S = 0.002
"""Between two writes, so that the clients leave the machine some time for the work that they are to disturb."""
SHAPES = {"old": ("full_name",), "dual": ("full_name", "display_name"), "new": ("display_name",)}


@dataclass
class Book:
    """The last acknowledged write of each row."""

    last: dict[int, tuple[int, str]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def acknowledged(self, key: int, version: int, value: str) -> None:
        """Keep it, unless a later one of the same row is known."""
        with self.lock:
            if key not in self.last or self.last[key][0] < version:
                self.last[key] = (version, value)

    def lost(self, project: Project, columns: Sequence[str]) -> dict[tuple[int, str], tuple[object, object]]:
        """Rows and columns that do not hold the last acknowledged write: what was promised, and what is there."""
        found = {row[0]: row[1:] for row in project.sql(f"SELECT id, visits, {', '.join(columns)} FROM users")}
        gone = (None,) * (len(columns) + 1)
        lost: dict[tuple[int, str], tuple[object, object]] = {}
        for key, (version, value) in self.last.items():
            visits, *values = found.get(key, gone)  # type: ignore[call-overload]
            if visits != version:
                lost[key, "visits"] = (version, visits)
            lost.update({(key, c): (value, v) for c, v in zip(columns, values, strict=True) if v != value})
        return lost


class Writer(threading.Thread):
    """One session that updates and inserts rows in the shape it speaks, until told to end.

    Args:
        address: Of the database, as the login role of a color.
        book: Where its acknowledged writes go.
        number: Tells it from the others.
        shape: ``old``, ``dual`` or ``new``.
        told: Whether its session says so in ``expandcontract.speaks``.
        rows: How many of the first rows are there to be updated.
    """

    def __init__(self, address: str, book: Book, number: int, shape: str, *, told: bool, rows: int = ROWS) -> None:
        super().__init__(name=f"{shape}{number}", daemon=True)
        self.address, self.book, self.number = address, book, number
        self.options = f"-c expandcontract.speaks={CHANGE}={shape}" if told else "-c expandcontract.speaks="
        self.columns = SHAPES[shape]
        self.rows = rows
        self.ending = threading.Event()
        self.updates = self.inserts = 0
        self.failure: psycopg.Error | None = None

    def run(self) -> None:
        """Write until told to end; an error ends it too and is kept."""
        try:
            with psycopg.connect(self.address, autocommit=True, options=self.options) as connection:
                while not self.ending.wait(THINKS_S):
                    self._update(connection)
                    if self.updates % 4 == 0:
                        self._insert(connection)
        except psycopg.Error as exc:
            self.failure = exc

    def _update(self, connection: psycopg.Connection) -> None:
        value = f"{self.name} update {self.updates}"
        # every writer meets every other on the first rows, and the whole table is gone through as well
        span = 40 if self.updates % 2 else self.rows
        key = 1 + (self.updates * 37 + self.number * 11) % span
        row = connection.execute(
            sql.SQL("UPDATE users SET {}, visits = coalesce(visits, 0) + 1 WHERE id = %s RETURNING visits").format(
                sql.SQL(", ").join(sql.SQL("{} = %s").format(sql.Identifier(column)) for column in self.columns)
            ),
            (*(value for _ in self.columns), key),
        ).fetchone()
        assert row is not None
        self.book.acknowledged(key, row[0], value)
        self.updates += 1

    def _insert(self, connection: psycopg.Connection) -> None:
        value = f"{self.name} insert {self.inserts}"
        row = connection.execute(
            sql.SQL("INSERT INTO users (visits, {}) VALUES (0, {}) RETURNING id").format(
                sql.SQL(", ").join(map(sql.Identifier, self.columns)),
                sql.SQL(", ").join(sql.Placeholder() for _ in self.columns),
            ),
            tuple(value for _ in self.columns),
        ).fetchone()
        assert row is not None
        self.book.acknowledged(row[0], 0, value)
        self.inserts += 1


def end(writers: Sequence[Writer]) -> None:
    """Let them finish what they are at; raises what went wrong in one of them."""
    for writer in writers:
        writer.ending.set()
    for writer in writers:
        writer.join(timeout=60)
    for writer in writers:
        assert not writer.is_alive()
        assert writer.failure is None, f"{writer.name}: {writer.failure}"


@contextmanager
def ended(writers: list[Writer]) -> Iterator[list[Writer]]:
    """The writers, none of which outlives the block."""
    try:
        yield writers
    finally:
        for writer in writers:
            writer.ending.set()
