"""Comparing by page ranges: every row is counted once, named by its key, and repaired under the mover's epoch only."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill.comparison import Comparison
from expandcontract.backfill.job import How
from expandcontract.backfill.parity import ParityProgress, verify
from expandcontract.backfill.ranges import LEAST_PAGES
from expandcontract.backfill.throttle.limits import Limits
from expandcontract.core.mapping import Mapping
from expandcontract.core.throttle import Signal
from expandcontract.errors import BackfillError, FencedError
from expandcontract.pg.connect import parse
from tests.fix_filling import CHANGE, WORK
from tests.sessions import ours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_filling import Filling

WIDE = """
CREATE TABLE users (id bigint PRIMARY KEY, full_name text, display_name text) WITH (fillfactor = 10);
INSERT INTO users SELECT n, 'name of ' || n, upper('name of ' || n) FROM generate_series(1, 20000) AS n;
"""
PARTED = """
CREATE TABLE users (country text, id bigint, full_name text, display_name text, PRIMARY KEY (country, id))
    PARTITION BY LIST (country);
CREATE TABLE users_at PARTITION OF users FOR VALUES IN ('at');
CREATE TABLE users_de PARTITION OF users FOR VALUES IN ('de');
INSERT INTO users VALUES ('de', 1, 'a', 'A'), ('de', 2, 'b', 'x'), ('at', 1, 'c', 'y');
"""
KEYLESS = """
CREATE TABLE users (full_name text, display_name text);
INSERT INTO users VALUES ('a', 'A'), ('b', 'x');
"""
ODD = """
CREATE TABLE "Odd %s" ("Key %" text PRIMARY KEY, full_name text, display_name text);
INSERT INTO "Odd %s" VALUES (repeat('k', 100), 'b', 'x');
"""


def asked(filling: Filling, work: Mapping = WORK, *, workers: int = 2, **more: object) -> Comparison:
    """A comparison of the table."""
    how = more.pop("how", How(workers=workers))
    return Comparison(url=parse(filling.database), change=CHANGE, work=work, how=how, **more)  # type: ignore[arg-type]


def last(passed: Iterator[ParityProgress]) -> ParityProgress:
    """How it ended."""
    *_, end = passed
    return end


@pytest.mark.parametrize("workers", [1, 3])
def test_the_first_rows_are_named_by_key_in_order(filling: Filling, workers: int) -> None:
    """Over several ranges, however many share them: all are counted, and the first 20 by place are named."""
    filling.sql_one(WIDE)
    assert 2 * LEAST_PAGES < int(str(filling.sql("SELECT pg_relation_size('users') / 8192")[0][0]))
    filling.sql_one("ALTER TABLE users DISABLE TRIGGER ALL; UPDATE users SET display_name = 'x' WHERE id % 100 = 0")
    found = filling.sql("SELECT 'users id=' || id FROM users WHERE display_name = 'x' ORDER BY ctid LIMIT 20")
    end = last(verify(asked(filling, workers=workers)))
    assert (200, tuple(row[0] for row in found)) == (end.differing, end.rows)
    assert end.pages_total == end.pages_done


@pytest.mark.parametrize(
    ("table", "script", "rows"),
    [
        ("users", PARTED, ("users_at (country, id)=(at, 1)", "users_de (country, id)=(de, 2)")),
        ("users", KEYLESS, ("users ctid=(0,2)",)),
        ("Odd %s", ODD, (f"Odd %s Key %={'k' * 64}",)),
        ("users", "CREATE TABLE users (full_name text, display_name text)", ()),
        ("users", "CREATE TABLE users (full_name text, display_name text) PARTITION BY LIST (full_name)", ()),
    ],
)
def test_a_row_is_named_by_what_its_table_has(filling: Filling, table: str, script: str, rows: tuple[str]) -> None:
    """A key of several columns, none, odd names, a partition; nothing where there are no rows."""
    filling.sql_one(script)
    work = Mapping(table, forward=WORK.forward, reverse=WORK.reverse)
    end = last(verify(asked(filling, work)))
    assert (len(rows), rows) == (end.differing, end.rows)


def test_repair_is_fenced_and_repeated(filling: Filling) -> None:
    """The mover of the day repairs and counts zero; one that lost its lock repairs nothing."""
    filling.sql_one(WIDE)
    filling.sql_one("UPDATE users SET display_name = NULL WHERE id % 1000 = 0")
    with pytest.raises(FencedError):
        last(verify(asked(filling, repair=True, epoch=7)))
    assert [(20,)] == filling.sql("SELECT count(*) FROM users WHERE display_name IS NULL")
    passed = list(verify(asked(filling, repair=True, epoch=0)))
    assert {1, 2} == {at.number for at in passed}
    assert (0, 20) == (passed[-1].differing, max(at.repaired for at in passed))
    assert [(0,)] == filling.sql("SELECT count(*) FROM users WHERE display_name IS NULL")


WRITES = {
    "old": "UPDATE users SET full_name = md5(random()::text) WHERE id % 50 = %s",
    "new": "UPDATE users SET display_name = upper(md5(random()::text)) WHERE id % 50 = %s",
}


def test_a_write_under_way_is_no_difference(filling: Filling) -> None:
    """Both colors write through the triggers meanwhile: no pass ever sees one shape without the other."""
    filling.prepare(3000)
    filling.sql_one("UPDATE users SET full_name = full_name || '!'")
    over, written = threading.Event(), dict.fromkeys(WRITES, 0)

    def write(color: str) -> None:
        with psycopg.connect(filling.database, autocommit=True) as connection:
            while not over.is_set():
                query = WRITES[color].replace("% 50", "%% 50")
                written[color] += connection.execute(query, [written[color] % 50]).rowcount

    threads = [threading.Thread(target=write, args=(color,)) for color in WRITES]
    for thread in threads:
        thread.start()
    counted = []
    try:
        while len(counted) < 30 or not all(written.values()):
            counted.append(last(verify(asked(filling))).differing)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert {0} == set(counted)


def test_what_holds_back_a_backfill_holds_back_its_comparison(filling: Filling) -> None:
    """A query of the user's says wait: nothing is compared and why is told; once it is well, it goes on by itself."""
    filling.prepare(2000)
    filling.sql_one("CREATE TABLE brake (n int); INSERT INTO brake VALUES (1)")
    limits = Limits(of={Signal.QUERY: 0.0, Signal.OLDEST_SNAPSHOT: 0.0}, query="SELECT n FROM brake")
    with closing(verify(asked(filling, how=How(workers=2, limits=limits)))) as passed:
        held = next(at for at in passed if at.waiting)
        assert (0, (str(Signal.QUERY),)) == (held.pages_done, held.sources)
        filling.sql_one("UPDATE brake SET n = 0")
        assert 2000 == last(passed).differing
    assert [(1,)] == filling.sql("SELECT times FROM expandcontract.throttle WHERE signal = 'query'")


def test_a_comparison_within_a_backfill_can_be_paused(filling: Filling) -> None:
    """Paused before it begins it looks at nothing; resumed it ends. One by itself is nobody's to pause."""
    filling.prepare(2000)
    filling.sql_one(f"INSERT INTO expandcontract.backfill (change, paused_at) VALUES ('{CHANGE}', now())")
    assert 2000 == last(verify(asked(filling))).differing
    with closing(verify(asked(filling, steered=True))) as passed:
        held = next(passed)
        assert (0, 1) == (held.pages_done, len(held.waiting))
        assert "paused" in held.waiting[0]
        filling.sql_one("UPDATE expandcontract.backfill SET paused_at = NULL")
        assert 2000 == last(passed).differing


def test_ending_early_breaks_off_what_runs(filling: Filling) -> None:
    """Whoever stops asking in the middle of a long statement has ended it in the server too."""
    filling.sql_one(WIDE)
    filling.sql_one(
        "CREATE FUNCTION slow(t text) RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(3600); RETURN t; END $$"
    )
    work = Mapping("users", forward={"display_name": "slow(full_name)"}, reverse=WORK.reverse)
    passed = verify(asked(filling, work))
    assert 0 == next(passed).pages_done
    passed.close()  # type: ignore[attr-defined]
    assert [] == filling.sql(f"SELECT query {ours('verify')}")


def test_a_statement_that_fails_is_told(filling: Filling) -> None:
    """The page, the server's words, and what to type."""
    filling.sql_one(KEYLESS)
    work = Mapping("users", forward={"display_name": "(1 / (length(full_name) - 1))::text"}, reverse=WORK.reverse)
    with pytest.raises(BackfillError, match="stopped at page 0 of users: division by zero") as failed:
        last(verify(asked(filling, work)))
    assert f"ec verify {CHANGE} counts from the start" == failed.value.hint


def test_progress_tells_how_long_it_takes(filling: Filling) -> None:
    """A pass that is under way has a time left, and one that is over none."""
    filling.sql_one(WIDE)
    filling.sql_one(
        "CREATE FUNCTION slowly(t text) RETURNS text LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.0001); RETURN upper(t); END $$"
    )
    work = Mapping("users", forward={"display_name": "slowly(full_name)"}, reverse=WORK.reverse)
    passed = list(verify(asked(filling, work)))
    assert any(at.eta is not None and at.eta > timedelta() for at in passed)
    assert passed[-1].eta is None
