"""An index of a partitioned table: leaf by leaf, whatever was there before, and never a wait for the writers."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.core.mapping import Table
from expandcontract.pg.connect import connect, parse
from expandcontract.revisions import sealing, steps
from expandcontract.revisions.operations import SealIndex
from expandcontract.revisions.partitions import next_step
from tests.acceptance.test_together import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLES = """
CREATE TABLE parts (id int, at int, "to %" text) PARTITION BY RANGE (at);
CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (100);
CREATE TABLE high PARTITION OF parts FOR VALUES FROM (100) TO (200) PARTITION BY HASH (id);
CREATE TABLE high_0 PARTITION OF high FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE high_1 PARTITION OF high FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO parts SELECT n, n % 200, 'x' || n FROM generate_series(1, 1000) AS n;
"""
ITEM = SealIndex("by_to", Table.parse("parts"), 'btree ("to %", lower("to %"))')
STATE = """SELECT c.relname, x.indisvalid, p.relname FROM pg_index AS x JOIN pg_class AS c ON c.oid = x.indexrelid
    LEFT JOIN pg_inherits AS h ON h.inhrelid = x.indexrelid LEFT JOIN pg_class AS p ON p.oid = h.inhparent
    WHERE c.relnamespace = 'public'::regnamespace ORDER BY 1"""
BEFORE = ('CREATE INDEX mine ON high_1 ("to %", lower("to %"))', 'CREATE TABLE "low_to %_lower_idx" ()')
DONE = [
    ("by_to", True, None),
    ("high_0_to %_lower_idx", True, "high_to %_lower_idx"),
    ("high_1_to %_lower_idx", True, "high_to %_lower_idx"),
    ("high_to %_lower_idx", True, "by_to"),
    ("low_to %_lower_idx", True, "by_to"),
]


def nothing() -> None:
    """No other mover is there."""


@pytest.fixture
def raw(database: str) -> Iterator[psycopg.Connection]:
    """To a database with a table that has partitions of two levels."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLES)
        yield connection


def test_named_and_attached_as_postgres_would(database: str, raw: psycopg.Connection) -> None:
    """Every leaf's index has the name that CREATE INDEX on the parent gives; all are valid; undone, none is left."""
    assert ["index by_to"] == list(sealing.run(parse(database), (ITEM,), nothing))
    assert DONE == raw.execute(STATE).fetchall()
    assert ["index by_to"] == list(sealing.run(parse(database), (ITEM,), nothing))
    assert ["index by_to"] == list(sealing.undo(parse(database), (ITEM,), nothing))
    assert [] == raw.execute(STATE).fetchall()
    raw.execute('CREATE INDEX by_to ON parts ("to %", lower("to %"))')
    assert DONE == raw.execute(STATE).fetchall()


@pytest.mark.parametrize(
    "made", [(), ('CREATE INDEX mine ON high_1 ("to %", lower("to %"))', 'CREATE TABLE "low_to %_lower_idx" ()')]
)
def test_foretold_as_it_is_done(database: str, raw: psycopg.Connection, made: tuple[str, ...]) -> None:
    """The plan has every statement that the move then runs, in its order, also where an index or a name is there."""
    for statement in made:
        raw.execute(statement)
    with connect(parse(database), command="test") as connection:
        foretold = steps.planned(connection, (ITEM,))
        connection.rollback()
        done = []
        while (step := next_step(connection, ITEM)) is not None:
            connection.rollback()
            raw.execute(step.statement)
            done.append(step.statement.as_string())
    assert done == foretold
    assert len(done) == 9 - len(made[:1])


def test_goes_on_from_whatever_was_left(database: str, raw: psycopg.Connection) -> None:
    """Broken off after any number of statements, the rest is done, and nothing is done twice."""
    with connect(parse(database), command="test") as connection:
        for broken_off in range(8):
            for _ in range(broken_off):
                step = next_step(connection, ITEM)
                connection.rollback()
                if step is not None:
                    raw.execute(step.statement)
            list(sealing.run(parse(database), (ITEM,), nothing))
            assert DONE == raw.execute(STATE).fetchall()
            raw.execute("DROP INDEX by_to")


def test_what_fits_is_taken_and_what_is_invalid_goes(database: str, raw: psycopg.Connection) -> None:
    """A leaf's own index of the same sort is attached under its own name; an invalid one is dropped and built anew."""
    raw.execute('CREATE INDEX mine ON low ("to %", lower("to %"))')
    raw.execute('CREATE INDEX broken ON high_1 ("to %", lower("to %"))')
    raw.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass")
    raw.execute('CREATE INDEX other ON high_0 ("to %")')
    list(sealing.run(parse(database), (ITEM,), nothing))
    found = {name: (is_valid, parent) for name, is_valid, parent in raw.execute(STATE)}
    assert (True, "by_to") == found["mine"]
    assert (True, None) == found["other"]
    assert "broken" not in found
    assert (True, "high_to %_lower_idx") == found["high_1_to %_lower_idx"]


def test_writers_pass_meanwhile(database: str, raw: psycopg.Connection) -> None:
    """While a leaf's build waits for an open transaction, every leaf is written without a wait."""
    raw.execute("SET lock_timeout = '100ms'")
    with psycopg.connect(database) as sleeper:
        sleeper.execute("UPDATE low SET id = id WHERE id = 1")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            raw.execute("CREATE INDEX plain ON parts (id)")
        made: list[object] = []
        build = threading.Thread(target=lambda: made.extend(sealing.run(parse(database), (ITEM,), nothing)))
        build.start()
        # what is not a text is a notice: the build stands before the busy leaf and says for whom it waits
        wait_until(lambda: made and not isinstance(made[-1], str))
        raw.execute("INSERT INTO parts VALUES (1, 1, 'x'), (2, 101, 'y')")
        sleeper.rollback()
    build.join()
    assert "index by_to" == made[-1]
    assert DONE == raw.execute(STATE).fetchall()
