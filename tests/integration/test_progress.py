"""How a backfill goes is measured once a second and kept: never many samples, and never at the backfill's expense."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from expandcontract.backfill.fill import Progress, cut, fill
from expandcontract.backfill.job import How, job
from expandcontract.backfill.meter import Meter
from expandcontract.core.pace import Pace
from expandcontract.ledger import Ledger, progress
from expandcontract.ledger.progress import MOST, Sample, keep
from expandcontract.ledger.segments import Segments
from expandcontract.pg.connect import connect, hot, parse
from tests.fix_filling import CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_filling import Filling

HOW = How(pace=Pace(window_pages=16, stripes=4, batch_pages=16), most_pages=16)
FULL = """
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER no_room BEFORE INSERT ON expandcontract.progress FOR EACH ROW EXECUTE FUNCTION no_room()
"""


def sample(number: int) -> Sample:
    """One of many."""
    return Sample(
        relation="public.users",
        done=float(number),
        total=5000,
        rows=number,
        rate=1.0,
        eta=timedelta(seconds=1),
        hot_share=0.5,
        heap_bytes=8192,
        waiting=["the disk is full"],
    )


def samples(filling: Filling) -> list[dict[str, Any]]:
    """What was kept."""
    with connect(parse(filling.database), command="test") as connection:
        return Ledger(connection).samples(CHANGE)


def filled(filling: Filling) -> list[Progress]:
    """Fill the table here and now."""
    return list(fill(parse(filling.database), CHANGE, WORK, HOW, epoch=0))


@pytest.fixture
def connection(filling: Filling) -> Iterator[psycopg.Connection]:
    """To a database whose backfill has begun."""
    filling.prepare(2000)
    cut(parse(filling.database), CHANGE, (WORK,), HOW, epoch=0)
    with hot(parse(filling.database), command="test") as found:
        yield found


def test_a_backfill_is_kept_from_its_beginning_to_its_end(filling: Filling) -> None:
    """The first sample is of nothing done, the last of everything, with the sizes as they were."""
    filling.prepare(20_000)
    before = filling.sql("SELECT pg_relation_size('users')")[0][0]
    end = filled(filling)[-1]
    kept = samples(filling)
    assert (0.0, 0, before) == (kept[0]["done"], kept[0]["rows"], kept[0]["heap_bytes"])
    after = filling.sql("SELECT pg_relation_size('users')")[0][0]
    assert (kept[-1]["total"], 20_000, after) == (kept[-1]["done"], kept[-1]["rows"], kept[-1]["heap_bytes"])
    assert ("public.users", []) == (kept[-1]["relation"], kept[-1]["waiting"])
    assert after == end.heap_bytes
    assert float(str(after)) / float(str(before)) == pytest.approx(end.heap_growth)
    assert kept[-1]["rate"] > 0


def test_growth_counts_from_the_first_run(filling: Filling) -> None:
    """A backfill that goes on later is measured against the heap as it was at the very beginning."""
    filling.prepare(5000)
    filled(filling)
    filling.sql_one("UPDATE expandcontract.progress SET heap_bytes = 8192")
    assert filled(filling)[-1].heap_growth == filling.sql("SELECT pg_relation_size('users') / 8192")[0][0]


TOLD = "SELECT pg_stat_force_next_flush();"


def test_hot_updates_are_told_from_others(filling: Filling, connection: psycopg.Connection) -> None:
    """Updates since the run began count, those before it do not; with none there is no share."""
    filling.sql_one(TOLD + "UPDATE users SET full_name = 'x' WHERE id = 2000")
    segments = Segments(connection, CHANGE)
    todo = job(parse(filling.database), CHANGE, WORK, HOW)
    meter = Meter(segments, todo)
    totals = segments.totals(todo.relations)
    assert Meter(segments, todo).look(totals, ()).hot_share is None
    for text in ("a", "b", "c"):
        filling.sql_one(TOLD + f"UPDATE users SET full_name = '{text}' WHERE id = 2000")
    filling.sql_one(TOLD + "UPDATE users SET id = 9999 WHERE id = 1999")
    assert 0.75 == meter.look(totals, ()).hot_share


def test_samples_are_thinned_out(filling: Filling, connection: psycopg.Connection) -> None:
    """However long it takes there are never more than so many; the first and the last stay, ever further apart."""
    connection.execute("UPDATE expandcontract.backfill SET sample_every = '1 microsecond'")
    most = 0
    for number in range(int(MOST * 1.6)):
        keep(connection, CHANGE, sample(number), last=True)
        (count,) = connection.execute("SELECT count(*) FROM expandcontract.progress").fetchone() or (0,)
        most = max(most, count)
    assert MOST // 2 < most <= MOST + 1
    kept = samples(filling)
    assert (0.0, 1599.0) == (kept[0]["done"], kept[-1]["done"])
    assert [("00:00:00.000004",)] == filling.sql("SELECT sample_every::text FROM expandcontract.backfill")
    assert sorted(row["done"] for row in kept) == [row["done"] for row in kept]


def test_processes_keep_one_sample_together(filling: Filling, connection: psycopg.Connection) -> None:
    """What comes before its time is not kept, but the last one always is; words and times come back as they were."""
    keep(connection, CHANGE, sample(1))
    keep(connection, CHANGE, sample(2))
    keep(connection, CHANGE, sample(3), last=True)
    kept = samples(filling)
    assert [1.0, 3.0] == [row["done"] for row in kept]
    assert (timedelta(seconds=1), 0.5, ["the disk is full"]) == (
        kept[0]["eta"],
        kept[0]["hot_share"],
        kept[0]["waiting"],
    )


def test_nothing_is_kept_of_no_backfill(filling: Filling) -> None:
    """Before it has begun, and after it was taken back."""
    filling.prepare(10)
    with hot(parse(filling.database), command="test") as connection:
        keep(connection, CHANGE, sample(1), last=True)
    assert [] == samples(filling)


def test_no_sample_stops_a_backfill(filling: Filling) -> None:
    """Where nothing can be kept, for the disk is full, the figures are shown all the same."""
    filling.prepare(2000)
    filling.sql_one(FULL)
    assert 2000 == filled(filling)[-1].rows_filled
    assert [] == samples(filling)


def test_a_table_that_is_held_is_measured_later(filling: Filling, connection: psycopg.Connection) -> None:
    """The meter waits for nobody's lock for long: it says what it saw last."""
    segments = Segments(connection, CHANGE)
    todo = job(parse(filling.database), CHANGE, WORK, HOW)
    meter = Meter(segments, todo)
    connection.execute("SELECT set_config('lock_timeout', '10ms', false)")
    with psycopg.connect(filling.database) as other:
        other.execute("LOCK TABLE users IN ACCESS EXCLUSIVE MODE; LOCK TABLE expandcontract.progress")
        found = meter.look(segments.totals(todo.relations), ())
        assert found.heap_bytes > 0
    assert [] == samples(filling)
    assert 1000 == progress.MOST
