"""A batch that fails on a row names that row; nothing of the batch is written, and mended it goes on from there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill.fill import fill
from expandcontract.backfill.job import How
from expandcontract.core.mapping import Mapping
from expandcontract.core.pace import Pace
from expandcontract.core.shape import Fill
from expandcontract.errors import BackfillError
from expandcontract.pg.connect import connect, parse
from tests import fix_filling
from tests.fix_filling import CHANGE

if TYPE_CHECKING:
    from expandcontract.core.shape import Work
    from tests.fix_filling import Filling

TABLE = """
CREATE TABLE visits (id bigint PRIMARY KEY, t text, n int);
INSERT INTO visits SELECT i, i::text FROM generate_series(1, 3000) AS i;
"""
COUNTED = """
CREATE TABLE written (id bigint);
CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO written (id) VALUES (NEW.id); RETURN NULL; END $$;
CREATE TRIGGER counted AFTER UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION count_write()
"""
GUARD = """
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.id = 1234 THEN RAISE 'not this one'; END IF; RETURN NEW; END $$;
"""
COUNTS = (
    "count(*) FROM written",
    "count(*) FROM visits WHERE n IS NOT NULL",
    "sum(rows_filled)::bigint FROM expandcontract.segment",
)
WORK = Mapping("visits", forward={"n": "t::int"}, reverse={"t": "n::text"})
HOW = How(pace=Pace(window_pages=8, stripes=2, batch_pages=8), most_pages=8)


def begun(filling: Filling, script: str = "", work: Work = WORK) -> None:
    """The table, what is wrong with it, and the change."""
    filling.sql_one(TABLE + script)
    with psycopg.connect(filling.database, autocommit=True) as connection:
        fix_filling.begin(connection, work)
    filling.sql_one(COUNTED)


def filled(filling: Filling, work: Work = WORK, how: How = HOW) -> int:
    """Fill what is left; how many rows are filled by then."""
    *_, end = fill(parse(filling.database), CHANGE, work, how, epoch=0)
    return end.rows_filled


def failed(filling: Filling, work: Work = WORK, how: How = HOW) -> BackfillError:
    """How it stops."""
    with pytest.raises(BackfillError) as stopped:
        filled(filling, work, how)
    return stopped.value


def test_the_row_is_named_and_nothing_of_its_batch_written(filling: Filling) -> None:
    """Key, types and the server's words; mended, the same goes on and writes each row once."""
    begun(filling, "UPDATE visits SET t = 'twelve' WHERE id = 1234")
    stopped = failed(filling)
    assert (
        'the backfill stopped at visits id=1234: invalid input syntax for type integer: "twelve";'
        " it makes n integer of t text; nothing of its batch is written"
    ) == stopped.message
    assert ("visits id=1234", "22P02") == (stopped.document["row"], stopped.document["sqlstate"])
    counted = [filling.sql(f"SELECT {count}") for count in COUNTS]
    assert [counted[0]] * 3 == counted
    filling.sql_one("UPDATE visits SET t = '12' WHERE id = 1234; DELETE FROM written WHERE id = 1234")
    assert 2999 <= filled(filling)
    assert [] == filling.sql("SELECT id FROM written GROUP BY id HAVING count(*) > 1")
    assert [(0,)] == filling.sql("SELECT count(*) FROM visits WHERE n IS DISTINCT FROM t::int")


@pytest.mark.parametrize(
    ("script", "work", "said"),
    [
        (
            "UPDATE visits SET t = 'x' WHERE id IN (3, 2000, 5)",
            WORK,
            'visits id=3: invalid input syntax for type integer: "x"; it makes n integer of t text',
        ),
        (
            "ALTER TABLE visits ADD CONSTRAINT low CHECK (n <> 17)",
            WORK,
            'visits id=17: new row for relation "visits" violates check constraint "low"; it makes n integer of t text',
        ),
        (
            GUARD + "CREATE TRIGGER guard BEFORE UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION guard()",
            WORK,
            "visits id=1234: not this one; it makes n integer of t text",
        ),
        (
            GUARD + "CREATE CONSTRAINT TRIGGER guard AFTER UPDATE ON visits DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION guard()",
            WORK,
            "visits id=1234: not this one; it makes n integer of t text",
        ),
        (
            "ALTER TABLE visits DROP CONSTRAINT visits_pkey; UPDATE visits SET t = 'x' WHERE id = 1",
            WORK,
            'visits ctid=(16,41): invalid input syntax for type integer: "x"; it makes n integer of t text',
        ),
        (
            "",
            Fill("visits", {"n": "(10 / (id - 30))::int"}),
            "visits id=30: division by zero; it makes n integer;",
        ),
    ],
)
def test_whatever_a_row_fails_on(filling: Filling, script: str, work: Work, said: str) -> None:
    """An expression, a constraint, a trigger at once or at commit, a table without a key, another kind of work."""
    begun(filling, script, work)
    assert said in failed(filling, work).message


def test_rows_that_fail_only_together_are_not_blamed(filling: Filling) -> None:
    """Two rows with the same value break a unique constraint; which pages, and the server's words."""
    begun(filling, "UPDATE visits SET t = '7' WHERE id = 8; ALTER TABLE visits ADD CONSTRAINT once UNIQUE (n)")
    one = How(pace=Pace(window_pages=30, stripes=1, batch_pages=30), most_pages=30)
    message = failed(filling, how=one).message
    assert 'where no row fails by itself: duplicate key value violates unique constraint "once"' in message
    assert [(0,)] == filling.sql("SELECT count(*) FROM written")


def test_what_is_no_rows_fault_is_not_searched_for(filling: Filling) -> None:
    """A missing privilege is said of the pages."""
    forbids = GUARD.replace("RAISE", "RAISE insufficient_privilege USING MESSAGE =")
    begun(filling, forbids + "CREATE TRIGGER guard BEFORE UPDATE ON visits FOR EACH ROW EXECUTE FUNCTION guard()")
    assert re.search(r"stopped at pages \d+ to \d+: not this one$", failed(filling).message)


def test_the_search_leaves_no_session_and_no_lock(filling: Filling) -> None:
    """What was tried is rolled back, and the next one can write the row at once."""
    begun(filling, "UPDATE visits SET t = 'x' WHERE id = 1234")
    failed(filling)
    with connect(parse(filling.database), command="test") as connection, connection.begin():
        connection.exec_driver_sql("SELECT 1 FROM visits WHERE id = 1234 FOR UPDATE NOWAIT")
