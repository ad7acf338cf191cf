"""VACUUM between windows: the relation does not grow on, nobody is in its way, and it is in nobody's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from expandcontract.backfill.board import Board
from expandcontract.backfill.throttle import vacuums
from expandcontract.backfill.throttle.limits import Limits
from expandcontract.core.pace import Pace
from expandcontract.core.throttle import Signal
from tests.acceptance.test_together import wait_until
from tests.fix_running import limited, running

if TYPE_CHECKING:
    import pytest

    from tests.fix_filling import Filling

PLAIN = Pace(window_pages=10, stripes=1, batch_pages=5, target=timedelta(milliseconds=20))
"""One pass: no update finds room that pruning made, so every row moves to the end of the relation."""
ROWS = 30_000
DAWDLE = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.15); RETURN NULL; END $$;
CREATE TRIGGER dawdle AFTER UPDATE ON users FOR EACH STATEMENT EXECUTE FUNCTION dawdle();
"""
QUICKLY = "DROP TRIGGER dawdle ON users"
UNMADE = "SET LOCAL expandcontract.backfill = 'on'"
VACUUMING = "SELECT pid FROM pg_stat_progress_vacuum WHERE relid = 'users'::regclass"


def _prepared(filling: Filling) -> int:
    """The table's size before, its triggers gone but the one that lets the server's counts keep up."""
    filling.prepare(ROWS)
    filling.sql_one("ALTER TABLE users SET (autovacuum_enabled = off)")
    filling.sql_one("DROP TRIGGER counted ON users")
    filling.sql_one("CREATE INDEX ON users (display_name)")  # no update is HOT
    filling.sql_one(DAWDLE)
    filling.sql_one("ANALYZE users")  # else the backfill does, and says so
    return _size(filling)


def _size(filling: Filling) -> int:
    return int(str(filling.sql("SELECT pg_relation_size('users')")[0][0]))


def _vacuums(filling: Filling) -> int:
    return int(str(filling.sql("SELECT vacuum_count FROM pg_stat_user_tables WHERE relname = 'users'")[0][0]))


def test_the_relation_does_not_grow_on(filling: Filling) -> None:
    """With a VACUUM whenever a tenth of the rows is dead the table grows by less than half of what it does without."""
    before = _prepared(filling)
    with running(filling.database, Limits(vacuum_share=0.1), pace=PLAIN) as backfill:
        backfill.finish()
    with_vacuum = _size(filling) / before
    assert {} == filling.faults()
    assert _vacuums(filling) >= 2
    filling.sql_one(QUICKLY)
    filling.sql_one(f"{UNMADE}; UPDATE users SET display_name = NULL")
    filling.sql_one("VACUUM FULL users")
    filling.sql_one("DELETE FROM expandcontract.segment")
    before = _size(filling)
    with running(filling.database, pace=PLAIN) as backfill:
        assert backfill.finish().rows_filled == ROWS
    without = _size(filling) / before
    assert 2 * (with_vacuum - 1) < without - 1


def test_it_gives_way(filling: Filling) -> None:
    """A session that waits on the VACUUM has the table at once; the backfill says so and comes to its end."""
    _prepared(filling)
    filling.sql_one("ALTER DATABASE {} SET vacuum_cost_delay = '100ms'".format(filling.database.rsplit("/", 1)[1]))
    filling.sql_one("ALTER DATABASE {} SET vacuum_cost_limit = 1".format(filling.database.rsplit("/", 1)[1]))
    with (
        psycopg.connect(filling.database, autocommit=True) as other,
        running(filling.database, Limits(vacuum_share=0.05), pace=PLAIN) as backfill,
    ):
        wait_until(lambda: filling.sql(VACUUMING))
        other.execute("ALTER TABLE users SET (fillfactor = 90)")  # SHARE UPDATE EXCLUSIVE, which a VACUUM has
        assert [] == filling.sql(VACUUMING)
        other.execute(QUICKLY)
        last = backfill.finish()
    assert "a VACUUM of the backfill gave way to a session that waited on it" in last.notes
    assert {} == filling.faults()


def test_nobody_waits_for_it_at_the_end(filling: Filling) -> None:
    """Told to end, the backfill breaks a VACUUM off that would take hours."""
    _prepared(filling)
    filling.sql_one("ALTER DATABASE {} SET vacuum_cost_delay = '100ms'".format(filling.database.rsplit("/", 1)[1]))
    filling.sql_one("ALTER DATABASE {} SET vacuum_cost_limit = 1".format(filling.database.rsplit("/", 1)[1]))
    with running(filling.database, Limits(vacuum_share=0.05), pace=PLAIN) as backfill:
        wait_until(lambda: filling.sql(VACUUMING))
    assert backfill.error is None
    assert [] == filling.sql(VACUUMING)
    assert 0 == _vacuums(filling)


def test_what_it_cannot_remove_is_not_vacuumed_again(filling: Filling) -> None:
    """While a snapshot keeps every dead row, one VACUUM finds that out, and the next waits for as many new ones."""
    _prepared(filling)
    with psycopg.connect(filling.database) as other:
        other.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        other.execute("SELECT 1 FROM users")
        with running(filling.database, Limits(vacuum_share=0.3), pace=PLAIN) as backfill:
            backfill.finish()
        assert 1 == _vacuums(filling)


def test_who_may_not_vacuum_is_told_once(filling: Filling) -> None:
    """A role that does not own the table fills it all the same, and is told what would let it."""
    _prepared(filling)
    role = f"writer_{filling.database.rsplit('/', 1)[1]}"
    filling.sql_one(f"CREATE ROLE {role} LOGIN")
    try:
        filling.sql_one(f"GRANT USAGE ON SCHEMA expandcontract TO {role}")
        filling.sql_one(f"GRANT ALL ON ALL TABLES IN SCHEMA expandcontract TO {role}")
        filling.sql_one(f"GRANT SELECT, UPDATE ON users TO {role}")
        address = filling.database.replace("postgres@", f"{role}@")
        with running(address, Limits(vacuum_share=0.1), pace=PLAIN) as backfill:
            backfill.until(lambda it: it.last and it.last.notes)
            filling.sql_one(QUICKLY)
            last = backfill.finish()
    finally:
        filling.sql_one(f"DROP OWNED BY {role}")
        filling.sql_one(f"DROP ROLE {role}")
    assert 0 == _vacuums(filling)
    (said,) = last.notes
    assert said.startswith(f"users belongs to postgres, and role {role} may not vacuum it")
    assert said.endswith(f"GRANT postgres TO {role}")


def test_a_limit_of_dead_rows_waits_for_its_own_vacuum(filling: Filling, monkeypatch: pytest.MonkeyPatch) -> None:
    """Held back by dead rows alone, a worker removes them, and all go on by themselves."""
    monkeypatch.setattr(vacuums, "AGAIN_S", 1.0)
    _prepared(filling)
    limits = limited(Signal.DEAD_SHARE, 0.15, vacuum_share=0.1)
    with running(filling.database, limits, pace=PLAIN, workers=2) as backfill:
        backfill.finish()
    assert _vacuums(filling) >= 1
    assert {} == filling.faults()


def test_beside_others_it_rests(filling: Filling) -> None:
    """With a delay where none was set; alone it is as fast as it can be again."""
    filling.prepare(1000)
    (oid,) = filling.sql("SELECT 'users'::regclass::oid::bigint")[0]
    board = Board()
    asked = []
    for own in ("0", "7ms"):
        filling.sql_one(
            "ALTER DATABASE {} SET vacuum_cost_delay = '{}'".format(filling.database.rsplit("/", 1)[1], own)
        )
        with psycopg.connect(filling.database, autocommit=True) as connection:
            for company in (True, False):
                board.company = company
                vacuums.Vacuums(board, 0.1).run(connection, int(str(oid)), sql.Identifier("users"))
                asked.append((company, connection.execute("SHOW vacuum_cost_delay").fetchone()))
    assert 4 == _vacuums(filling)
    assert asked == [(True, ("2ms",)), (False, ("0",)), (True, ("7ms",)), (False, ("7ms",))]
