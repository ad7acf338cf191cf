"""A running backfill is told to wait, to go on and to go slower; on a full disk it waits by itself."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from expandcontract.backfill import worker
from expandcontract.ledger import Ledger
from expandcontract.pg.connect import connect, parse
from tests.acceptance.test_together import wait_until
from tests.fix_filling import CHANGE
from tests.fix_running import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_filling import Filling

BACKFILL = "UPDATE expandcontract.change SET phase = 'dual_writing', move = 'backfill', move_since = now()"
FULL = """
CREATE TABLE disk (full_now bool);
INSERT INTO disk VALUES (true);
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT FROM disk WHERE full_now) THEN
        RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100';
    END IF;
    RETURN NULL;
END $$;
"""


@pytest.fixture
def ledger(filling: Filling) -> Iterator[Ledger]:
    """The ledger of a database whose change is in its backfill, as somebody else has it."""
    filling.prepare(60_000)
    filling.sql_one(BACKFILL)
    with connect(parse(filling.database), command="backfill a pause") as connection:
        yield Ledger(connection)


def test_paused_and_resumed(filling: Filling, ledger: Ledger) -> None:
    """Told to pause nobody begins another batch, told to resume everybody does; who and why is shown meanwhile."""
    with running(filling.database, workers=2) as backfill:
        backfill.until(lambda it: it.rows > 0)
        assert ledger.pause(CHANGE, "ada on db1", "the sale begins")
        ledger.connection.commit()
        backfill.until(lambda it: "control" in it.waits_for)
        wait_until(lambda: not filling.sql("SELECT 1 FROM expandcontract.segment WHERE worker IS NOT NULL"))
        before = filling.sql("SELECT sum(rows_filled) FROM expandcontract.segment")
        looked = backfill.last
        backfill.until(lambda it: it.last is not looked)
        assert before == filling.sql("SELECT sum(rows_filled) FROM expandcontract.segment") != [(60_000,)]
        assert ledger.resume(CHANGE, "ada on db1")
        ledger.connection.commit()
        assert backfill.finish().rows_filled == 60_000
    assert f"paused by ada on db1: the sale begins; ec backfill {CHANGE} resume" == backfill.seen["control"]
    assert {} == filling.faults()
    said = [(row["event"], row["detail"]) for row in ledger.history(CHANGE)]
    assert ("backfill_pause", {"by": "ada on db1", "why": "the sale begins"}) in said
    assert ("backfill_resume", {"by": "ada on db1"}) in said


def test_set_while_it_runs(filling: Filling, ledger: Ledger) -> None:
    """Workers and target are heeded while it runs; what is not named stays, and zero is as configured."""
    with running(filling.database, workers=2) as backfill:
        backfill.until(lambda it: len(it.last.lanes if it.last else ()) == 2)
        assert ledger.set_pace(CHANGE, "ada", workers=1, target=None)
        assert ledger.set_pace(CHANGE, "ada", workers=None, target=timedelta(milliseconds=20))
        ledger.connection.commit()
        one = "SELECT 1 FROM expandcontract.segment HAVING count(worker) = 1"
        wait_until(lambda: filling.sql(one))
        backfill.until(
            lambda it: max((lane.batch_pages for lane in it.last.lanes), default=0) > 2 if it.last else False
        )
        assert ledger.set_pace(CHANGE, "ada", workers=0, target=timedelta())
        ledger.connection.commit()
        assert backfill.finish().rows_filled == 60_000
    assert [(None, None)] == filling.sql("SELECT workers, target FROM expandcontract.backfill")
    assert {} == filling.faults()


def test_what_is_not_in_a_backfill_cannot_be_steered(filling: Filling, ledger: Ledger) -> None:
    """Before its segments are there, and once the move is over, nothing is written and nothing journaled."""
    asked = len(ledger.history(CHANGE))
    assert not ledger.pause(CHANGE, "ada", None)
    with running(filling.database) as backfill:
        backfill.until(lambda it: it.rows > 0)
    filling.sql_one("UPDATE expandcontract.change SET phase = 'backfilled', move = NULL, move_since = NULL")
    assert not ledger.pause(CHANGE, "ada", None)
    assert not ledger.resume(CHANGE, "ada")
    assert not ledger.set_pace(CHANGE, "ada", workers=1, target=None)
    ledger.connection.commit()
    assert asked == len(ledger.history(CHANGE))


def test_a_pause_outlives_the_process(filling: Filling, ledger: Ledger) -> None:
    """Begun again while it is paused it waits, and fills nothing until somebody lets it go on."""
    with running(filling.database) as backfill:
        backfill.until(lambda it: it.rows > 0)
    assert ledger.pause(CHANGE, "ada", None)
    ledger.connection.commit()
    before = filling.sql("SELECT count(*) FROM written")
    with running(filling.database) as backfill:
        backfill.until(lambda it: "control" in it.waits_for)
        assert before == filling.sql("SELECT count(*) FROM written")
        assert ledger.resume(CHANGE, "ada")
        ledger.connection.commit()
        backfill.finish()
    assert {} == filling.faults()


@pytest.mark.parametrize("table", ["users", "expandcontract.segment"])
def test_a_full_disk_pauses(filling: Filling, table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever write finds no room, the backfill waits and says so, and goes on by itself once there is some."""
    monkeypatch.setattr(worker, "FULL_S", 0.1)
    filling.prepare(5000)
    filling.sql_one(FULL)
    filling.sql_one(f"CREATE TRIGGER no_room AFTER UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION no_room()")
    with running(filling.database, workers=2) as backfill:
        backfill.until(lambda it: "disk" in it.seen)
        assert [(0,)] == filling.sql("SELECT count(*) FROM written")
        filling.sql_one("UPDATE disk SET full_now = false")
        assert backfill.finish().rows_filled == 5000
    assert backfill.seen["disk"].startswith("the server's disk is full")
    assert {} == filling.faults()
    assert [] == [thread for thread in threading.enumerate() if thread.name.startswith(("backfill", "throttle"))]
