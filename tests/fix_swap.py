"""A project whose key is being widened, and clients that write to it all the time."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.compat.cases.widen_primary_key import CASES
from tests.compat.drive import Drive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.pg.server import LocalServer
    from tests.fix_project import Project

CHANGE = CASES[0].name


@dataclass
class Kept:
    """What the server acknowledged, and what it did not.

    Attributes:
        emails: The last acknowledged email of each user, by key.
        orders: The users of acknowledged orders, by the order's total, which is used once.
        errors: Whatever else happened.
    """

    emails: dict[int, str] = field(default_factory=dict)
    orders: dict[int, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def lost(self, project: Project) -> list[object]:
        """Acknowledged writes that are not there."""
        emails = dict(project.sql("SELECT id, email FROM users"))
        orders = dict(project.sql("SELECT total::int, user_id FROM orders WHERE total >= 1000000"))
        return [
            *((key, email) for key, email in self.emails.items() if emails.get(key) != email),
            *((total, user) for total, user in self.orders.items() if orders.get(total) != user),
        ]


@contextmanager
def clients(project: Project) -> Iterator[Kept]:
    """Two sessions that update and insert single rows, with statements that the driver prepares."""
    kept, ending = Kept(), threading.Event()

    def write(number: int) -> None:
        with psycopg.connect(project.database, autocommit=True) as connection:
            turn = 0
            while not ending.is_set():
                turn += 1
                key = 1 + (turn * 37 + number) % 90 * 2 + number
                email, total = f"w{number}/{turn}", 1_000_000 + turn * 2 + number
                try:
                    connection.execute("UPDATE users SET email = %s WHERE id = %s", (email, key))
                    kept.emails[key] = email
                    connection.execute("INSERT INTO orders (user_id, total) VALUES (%s, %s)", (key, total))
                    kept.orders[total] = key
                except psycopg.Error as exc:
                    kept.errors.append(f"{type(exc).__name__}: {exc}")

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield kept
    finally:
        ending.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def widening(empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Drive:
    """The pair that widens ``users.id`` to bigint, planned."""
    monkeypatch.chdir(empty.directory)
    drive = Drive(CASES[0], empty, server)
    drive.prepare()
    return drive
