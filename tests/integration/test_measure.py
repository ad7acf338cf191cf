"""The guard's SQL on a real server: what it gives, and that it can change and hold up nothing."""

from __future__ import annotations

import time
from datetime import timedelta

import psycopg
import pytest

from expandcontract.core.guard import Measured
from expandcontract.pg.connect import parse
from expandcontract.pg.measure import measure

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SELECT 0.25, 40", Measured(value=0.25, requests=40)),
        ("SELECT 7::bigint", Measured(value=7)),
        ("SELECT interval '1 minute 500 ms', 2, 'ignored'", Measured(value=60.5, requests=2)),
        ("SELECT 'NaN'::float8 = 'NaN'", Measured(why="the query gives True, which is no number", fault=True)),
        ("SELECT NULL, 0", Measured(requests=0, why="the query gives NULL")),
        ("SELECT 1 WHERE false", Measured(why="the query gives no row")),
        ("SELECT 'a'", Measured(why="the query gives 'a', which is no number", fault=True)),
        ("SELECT 1 UNION ALL SELECT 2", Measured(why="the query gives more than one row", fault=True)),
        ("SELECT 100 % 7", Measured(value=2)),
    ],
)
def test_what_a_query_gives(database: str, query: str, found: Measured) -> None:
    """The first column is the figure, the second what it rests on; nothing is no data, nonsense is a fault."""
    assert found == measure(parse(database), query, SECOND)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("SELECT no_such_column", 'column "no_such_column" does not exist'),
        ("DELETE FROM kept RETURNING 1", "cannot execute DELETE in a read-only transaction"),
        ("SELECT nextval('counted')", "cannot execute nextval() in a read-only transaction"),
        ("SELECT 1; DELETE FROM kept", "cannot insert multiple commands into a prepared statement"),
        ("COMMIT; DELETE FROM kept", "cannot insert multiple commands into a prepared statement"),
        ("SELECT 1 FROM pg_sleep(60)", "canceling statement due to statement timeout"),
        ("VACUUM kept", "VACUUM cannot run inside a transaction block"),
    ],
)
def test_what_it_may_not(database: str, query: str, why: str) -> None:
    """It reads, within its time, as one statement."""
    with psycopg.connect(database, autocommit=True) as owner:
        owner.execute("CREATE TABLE kept AS SELECT 1; CREATE SEQUENCE counted")
        began = time.monotonic()
        found = measure(parse(database), query, SECOND)
        assert (True, f"PostgreSQL says: {why}") == (found.fault, found.why)
        assert time.monotonic() - began < 20
        assert (1,) == owner.execute("SELECT count(*) FROM kept").fetchone()


def test_a_database_that_is_away(database: str) -> None:
    """It is said where it was looked for, without a password."""
    url = parse(database).set(port=1, password="s3cr3t")  # noqa: S106  # that it is not told is the test
    found = measure(url, "SELECT 1", SECOND)
    assert found.fault
    assert "connection refused" in found.why
    assert "s3cr3t" not in found.why
