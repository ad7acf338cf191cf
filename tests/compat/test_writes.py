"""Old and new clients write at the same time through every phase, and no acknowledged write is lost in either shape."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill import statement
from expandcontract.core.mapping import Mapping, Table
from expandcontract.pg.quoting import identifier
from tests.acceptance.test_together import wait_until
from tests.fix_project import CHANGE, Project
from tests.fix_writers import ROWS, Book, Writer, end, ended

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer

BOTH = ("full_name", "display_name")
MAPPING = Mapping(Table.parse("users"), forward={"display_name": "full_name"}, reverse={"full_name": "display_name"})
FROM_A_SNAPSHOT = """UPDATE users SET display_name = s.value
    FROM (SELECT id, full_name AS value FROM users WHERE display_name IS NULL) AS s WHERE s.id = users.id"""
DIFFERING = "SELECT count(*) FROM users WHERE full_name IS DISTINCT FROM display_name"


JOBS = """DO $$ BEGIN CREATE ROLE {0}_jobs LOGIN IN ROLE {0}; EXCEPTION WHEN duplicate_object THEN NULL; END $$"""


class Clients:
    """Writers of every shape with both colors' rights, some of which say what they speak and some do not.

    They log in as roles of their own: a shift is not done while the color's own role goes on beginning transactions.
    """

    def __init__(self, project: Project, server: LocalServer) -> None:
        self.name = project.database.rsplit("/", 1)[1]
        self.server = server
        self.book = Book()
        self.writers: list[Writer] = []
        for role in ("app_blue", "app_green"):
            project.sql(JOBS.format(role))

    def begin(self, shape: str, role: str, *, told: bool) -> Writer:
        """Start one more, with the rights of a color's role."""
        address = self.server.dsn(self.name, user=f"{role}_jobs")
        writer = Writer(address, self.book, len(self.writers), shape, told=told)
        self.writers.append(writer)
        writer.start()
        return writer

    def all_write(self) -> None:
        """Wait until each one that is at work has updated and inserted anew."""
        working = [writer for writer in self.writers if not writer.ending.is_set()]
        before = {writer: (writer.updates + 10, writer.inserts) for writer in working}
        wait_until(
            lambda: all(
                writer.failure or (writer.updates > before[writer][0] and writer.inserts > before[writer][1])
                for writer in working
            )
        )
        assert [] == [f"{writer.name}: {writer.failure}" for writer in working if writer.failure]


def test_no_acknowledged_write_is_lost(project: Project, server: LocalServer) -> None:
    """Through every move on, three back, on again and the contract: each row holds its last acknowledged write."""
    clients = Clients(project, server)
    with ended(clients.writers):
        old = [clients.begin("old", "app_blue", told=True), clients.begin("old", "app_blue", told=False)]
        clients.all_write()
        project.ec("advance", CHANGE)
        clients.begin("new", "app_blue", told=True)
        clients.begin("new", "app_green", told=False)
        dual = clients.begin("dual", "app_green", told=True)
        for arguments in (
            ("advance", CHANGE, "--release", "v2"),
            ("advance", CHANGE),
            ("advance", CHANGE, "--release", "v3"),
            ("rollback", CHANGE),
            ("rollback", CHANGE),
            ("advance", CHANGE),
            ("advance", CHANGE, "--release", "v3"),
        ):
            clients.all_write()
            project.ec(*arguments)
        clients.all_write()
        assert "cut_over" == project.phase()
        end([*old, dual])
        project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
        project.ec("deploy", "green", "v3")
        clients.all_write()
        project.ec("advance", CHANGE)
        clients.all_write()
        end(clients.writers)
    assert "contracted" == project.phase()
    assert len(clients.book.last) > len(clients.writers) * 10
    assert {} == clients.book.lost(project, ["display_name"])
    assert [(0,)] == project.sql("SELECT count(*) FROM expandcontract.conflict")


def test_both_shapes_hold_every_write_while_both_exist(project: Project, server: LocalServer) -> None:
    """Cut over and rolled back with clients of both shapes at work, old and new column hold the last write alike."""
    clients = Clients(project, server)
    with ended(clients.writers):
        clients.begin("old", "app_blue", told=False)
        project.ec("advance", CHANGE)
        clients.begin("new", "app_green", told=False)
        project.ec("advance", CHANGE, "--by", "database")
        project.ec("advance", CHANGE)
        project.ec("advance", CHANGE, "--release", "v3")
        clients.all_write()
        project.ec("rollback", CHANGE)
        clients.all_write()
        end(clients.writers)
    assert {} == clients.book.lost(project, BOTH)
    assert [(0,)] == project.sql(DIFFERING)


def test_the_book_catches_a_trigger_that_is_off(project: Project, server: LocalServer) -> None:
    """The same clients, with the trigger disabled by hand: the loss is found, in both columns."""
    clients = Clients(project, server)
    project.ec("advance", CHANGE)
    project.sql("ALTER TABLE users DISABLE TRIGGER zz_expandcontract_update")
    with ended(clients.writers):
        clients.begin("old", "app_blue", told=True)
        clients.begin("new", "app_green", told=True)
        clients.all_write()
        end(clients.writers)
    assert set(BOTH) == {column for _, column in clients.book.lost(project, BOTH)}


@pytest.mark.parametrize("ours", [True, False], ids=["ours", "from a snapshot"])
def test_a_backfill_that_meets_a_write(project: Project, *, ours: bool) -> None:
    """Ours keeps a write that commits while it waits for the row; a form with values from a snapshot reverts it.

    Both leave the shapes equal: parity cannot tell, the book can.
    """
    project.ec("advance", CHANGE)
    book = Book()
    with psycopg.connect(project.database) as application, psycopg.connect(project.database) as filling:
        application.execute("UPDATE users SET full_name = 'written', visits = 1 WHERE id = 7")
        pid = filling.info.backend_pid
        backfill = threading.Thread(target=_fill, args=(filling,), kwargs={"ours": ours}, daemon=True)
        backfill.start()
        wait_until(
            lambda: project.sql(f"SELECT 1 FROM pg_stat_activity WHERE pid = {pid} AND wait_event_type = 'Lock'")
        )
        application.commit()
        book.acknowledged(7, 1, "written")
        backfill.join(timeout=60)
    assert [(0,)] == project.sql(DIFFERING)
    expected = {} if ours else {(7, column): ("written", "User 7") for column in BOTH}
    assert expected == book.lost(project, BOTH)
    assert [(ROWS,)] == project.sql("SELECT count(display_name) FROM users")


def _fill(connection: psycopg.Connection, *, ours: bool) -> None:
    with connection.transaction():
        if ours:
            connection.execute("SET LOCAL expandcontract.backfill = 'on'")
            values = {"first": 0, "end": 2**31, "stripe": 0, "stripes": 1}
            connection.execute(statement.fill(MAPPING, identifier("public", "users")), values)
        else:
            connection.execute(FROM_A_SNAPSHOT)
