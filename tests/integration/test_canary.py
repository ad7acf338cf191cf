"""The plan is read before the first batch: what was never analysed is analysed, what would scan a whole table stops."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill import canary
from expandcontract.backfill.board import Board
from expandcontract.backfill.canary import First, prove
from expandcontract.backfill.comparison import Comparison
from expandcontract.backfill.fill import Progress, fill
from expandcontract.backfill.job import How, job
from expandcontract.backfill.parity import verify
from expandcontract.core.pace import Pace
from expandcontract.core.transfer import Stranded, Transfer
from expandcontract.errors import BackfillError, PlanError
from expandcontract.pg.connect import hot, parse
from tests.fix_filling import CHANGE, WORK

if TYPE_CHECKING:
    from tests.fix_filling import Filling

SMALL = How(pace=Pace(window_pages=8, stripes=4, batch_pages=8), most_pages=8)
NO_RANGES = """
DO $$ BEGIN
    EXECUTE format('ALTER ROLE %I IN DATABASE %I SET enable_tidscan = off', current_user, current_database());
END $$
"""
TWO = """
CREATE TABLE users (id int, bio text) WITH (autovacuum_enabled = false);
CREATE TABLE profiles (user_id int, bio text) WITH (fillfactor = 10, autovacuum_enabled = false);
INSERT INTO users SELECT n, 'bio ' || n FROM generate_series(1, 20000) AS n;
INSERT INTO profiles SELECT n, 'bio ' || n FROM generate_series(1, 20000) AS n;
"""
MOVED = Transfer("users", "profiles", key={"user_id": "id"}, forward={"bio": "bio"}, reverse={"bio": "bio"})


def filled(filling: Filling, how: How = SMALL) -> list[Progress]:
    """Fill the table here and now."""
    return list(fill(parse(filling.database), CHANGE, WORK, how, epoch=0))


def proved(filling: Filling, work: Transfer | Stranded, *, role: str | None = None) -> tuple[str, ...]:
    """What the canary notes of a batch of ``work``."""
    url, board = parse(filling.database), Board()
    todo = job(url, CHANGE, work, SMALL)
    values = {"first": 0, "end": 8, "stripe": 0, "stripes": 4}
    first = [First(leaf=leaf, query=todo.statement(oid), values=values, pages=8) for oid, leaf in todo.leaves.items()]
    with hot(url, command="test") as connection:
        if role is not None:
            connection.execute(f"SET ROLE {role}")
        prove(connection, CHANGE, first, board)
    return board.notes


def test_a_role_that_cannot_read_ranges_is_stopped(filling: Filling) -> None:
    """Nothing is filled, the plan is shown and the hint is the statement that mends it; then the same goes through."""
    filling.prepare(50_000)
    filling.sql_one(NO_RANGES)
    with pytest.raises(PlanError, match=r"through the whole of public\.users, so none was begun") as stopped:
        filled(filling)
    assert "Seq Scan on users" in stopped.value.message
    assert any("Seq Scan on users" in line for line in stopped.value.document["plan"])  # type: ignore[attr-defined]
    with pytest.raises(PlanError):
        list(verify(Comparison(url=parse(filling.database), change=CHANGE, work=WORK, how=How())))
    assert [(0,)] == filling.sql("SELECT count(*) FROM written")
    assert [] == filling.sql("SELECT 1 FROM expandcontract.segment WHERE claim > 0 OR rows_filled > 0")
    assert stopped.value.hint is not None
    filling.sql_one(stopped.value.hint.split("by itself: ")[1])
    assert 50_000 == filled(filling)[-1].rows_filled


def test_a_small_table_may_be_read_whole(filling: Filling) -> None:
    """That can be the cheaper plan, and costs nothing."""
    filling.prepare(1000)
    filling.sql_one(NO_RANGES)
    assert 1000 == filled(filling)[-1].rows_filled


def test_a_table_that_was_never_analysed_is(filling: Filling) -> None:
    """It has statistics before its first batch, that is said once, and the next run finds them."""
    filling.sql_one("CREATE TABLE other (n int) WITH (autovacuum_enabled = false); INSERT INTO other VALUES (1)")
    filling.prepare(2000)
    assert [] == filling.sql("SELECT 1 FROM pg_stats WHERE tablename = 'users'")
    notes = filled(filling)[-1].notes
    assert ("public.users had never been analysed; ANALYZE was run on it",) == notes
    assert [("display_name",), ("full_name",), ("id",)] == filling.sql(
        "SELECT attname::text FROM pg_stats WHERE tablename = 'users' ORDER BY 1"
    )
    assert [] == filling.sql("SELECT 1 FROM pg_stats WHERE tablename = 'other'")
    passed = list(verify(Comparison(url=parse(filling.database), change=CHANGE, work=WORK, how=How())))
    assert () == passed[-1].notes


def test_vacuum_alone_gives_no_statistics(filling: Filling) -> None:
    """A relation whose rows were counted by a VACUUM counts as never analysed all the same; an empty one does not."""
    filling.prepare(2000)
    filling.sql_one("VACUUM users")
    assert [(2000.0,)] == filling.sql("SELECT reltuples FROM pg_class WHERE oid = 'users'::regclass")
    assert 1 == len(filled(filling)[-1].notes)
    filling.sql_one("TRUNCATE users; TRUNCATE expandcontract.segment")
    assert () == filled(filling)[-1].notes


@pytest.mark.parametrize("work", [MOVED, Stranded(MOVED)])
def test_rows_of_another_table_are_looked_up_by_an_index(filling: Filling, work: Transfer | Stranded) -> None:
    """Without one each batch would read all of it: stopped. With one it is the planner's choice, whatever it is."""
    filling.sql_one(TWO)
    other = "users" if isinstance(work, Transfer) else "profiles"
    with pytest.raises(PlanError, match=rf"would go through the whole of public\.{other}") as stopped:
        proved(filling, work)
    assert f"(CREATE INDEX CONCURRENTLY) on public.{other}" in str(stopped.value.hint)
    filling.sql_one("CREATE INDEX ON users (id); CREATE INDEX ON profiles (user_id)")
    assert () == proved(filling, work)


def test_the_other_table_is_analysed_too(filling: Filling) -> None:
    """A plan that involves it is no guess."""
    filling.sql_one(TWO + "CREATE INDEX ON users (id); CREATE INDEX ON profiles (user_id)")
    assert {f"public.{name} had never been analysed; ANALYZE was run on it" for name in ("users", "profiles")} == set(
        proved(filling, Stranded(MOVED))
    )


def test_nobody_is_waited_for(filling: Filling, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where somebody has the lock, or the server is told to take its time, the plan is read all the same."""
    filling.sql_one(TWO + "CREATE INDEX ON users (id); CREATE INDEX ON profiles (user_id)")
    with psycopg.connect(filling.database) as other:
        other.execute("LOCK TABLE users, profiles IN SHARE UPDATE EXCLUSIVE MODE")
        held = proved(filling, MOVED)
    assert {"somebody else holds the lock that ANALYZE needs, so plans that involve it are guessed"} == {
        note.split("analysed; ")[1] for note in held
    }
    monkeypatch.setattr(canary, "LONGEST_ANALYZE", "50ms")
    database = filling.database.rsplit("/", 1)[1]
    for setting in ("vacuum_cost_delay = '100ms'", "vacuum_cost_limit = 1"):
        filling.sql_one(f"ALTER DATABASE {database} SET {setting}")
    slow = proved(filling, MOVED)
    assert {"ANALYZE was broken off after 50ms, so plans that involve it are guessed"} == {
        note.split("analysed; ")[1] for note in slow
    }


def test_a_role_that_may_not_analyse_is_told(filling: Filling) -> None:
    """The backfill goes on, and says what to grant."""
    filling.sql_one(TWO + "CREATE INDEX ON users (id); CREATE INDEX ON profiles (user_id)")
    filling.sql_one("CREATE ROLE canary_reader")
    try:
        filling.sql_one("GRANT SELECT, UPDATE ON users, profiles TO canary_reader")
        filling.sql_one("GRANT USAGE ON SCHEMA expandcontract TO canary_reader")
        notes = proved(filling, MOVED, role="canary_reader")
    finally:
        filling.sql_one("DROP OWNED BY canary_reader; DROP ROLE canary_reader")
    owner = filling.sql("SELECT current_user")[0][0]
    assert {
        f"public.{name} has never been analysed, and role canary_reader may not: plans that involve it are guessed."
        f" To mend that: ANALYZE public.{name}, or GRANT {owner} TO canary_reader"
        for name in ("users", "profiles")
    } == set(notes)


def test_what_cannot_be_planned_stops(filling: Filling) -> None:
    """A column that is not there is said before a batch is begun."""
    filling.sql_one(TWO + "ALTER TABLE profiles DROP COLUMN bio")
    with pytest.raises(BackfillError, match=r"planning its first batch of profiles: column .*bio.* does not"):
        proved(filling, MOVED)
