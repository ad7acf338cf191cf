"""Looking at a statement while it runs: what is held before is told apart, and a failure is the caller's to see."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.core.effect import Lock, LockMode
from expandcontract.errors import FailedError
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.locks import observe, watch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

SHARE = Lock(relation="public.t", mode=LockMode.SHARE)
EXCLUSIVE = Lock(relation="public.t", mode=LockMode.ACCESS_EXCLUSIVE)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """A connection to a database with one table of two equal rows."""
    with connect(parse(database), command="test") as opened:
        opened.exec_driver_sql("CREATE TABLE t AS SELECT 1 AS v FROM generate_series(1, 2)")
        opened.commit()
        yield opened


def test_what_was_held_is_told_apart(connection: Connection) -> None:
    """A block's own locks are told, and beside them those that the transaction had before."""
    connection.exec_driver_sql("LOCK TABLE t IN SHARE MODE")
    with watch(connection, "ALTER TABLE t ADD x int") as seen:
        connection.exec_driver_sql("ALTER TABLE t ADD x int")
    assert ((SHARE,), (EXCLUSIVE,)) == (seen.held, seen.effect.locks)


def test_a_relation_of_the_same_statement_is_nobodys(connection: Connection) -> None:
    """A lock on what a statement makes is not told: nobody else can wait for it."""
    assert () == observe(connection, "CREATE TABLE made (id int PRIMARY KEY)").locks


def test_a_concurrent_build_that_fails(connection: Connection) -> None:
    """A statement outside a transaction that fails says so with the server's reason, and no session is left behind."""
    with pytest.raises(FailedError, match="could not create unique index"):
        observe(connection, "CREATE UNIQUE INDEX CONCURRENTLY i ON t (v)")
    left = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    for _ in range(1000):
        if connection.exec_driver_sql(left).scalar_one() == 0:
            break
        connection.rollback()
    assert 0 == connection.exec_driver_sql(left).scalar_one()


def test_scans_that_are_not_counted(connection: Connection) -> None:
    """Where the server counts no scans, none could be seen, and that is refused instead of told as none."""
    connection.exec_driver_sql("SET track_counts = off")
    with pytest.raises(FailedError, match="track_counts is off"):
        observe(connection, "ALTER TABLE t ADD x int")
