"""Columns trade names under running clients; what does not fit back closes the way back and fails no write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.core.phase import Phase
from expandcontract.errors import RefusedError
from tests.fix_swap import CHANGE, clients

if TYPE_CHECKING:
    from pathlib import Path

    from tests.compat.drive import Drive
    from tests.fix_project import Project

TYPES = """SELECT attrelid::regclass::text, attname, format_type(atttypid, NULL) FROM pg_attribute
WHERE attname IN ('id', 'user_id', 'boss') AND attrelid IN ('users'::regclass, 'orders'::regclass) ORDER BY 1, 2"""
BIG = 3_000_000_000


def _to(drive: Drive, phase: Phase) -> None:
    while drive.state().phase is not phase:
        drive.advance()


def test_no_write_fails_or_is_lost_while_names_are_traded(widening: Drive) -> None:
    """Two clients write through swap, swap back and swap again: no error, nothing lost, both shapes equal."""
    project = widening.project
    with clients(project) as kept:
        _to(widening, Phase.CUT_OVER)
        widening.do("rollback", [CHANGE])
        assert widening.state().phase is Phase.BACKFILLED
        widening.advance()
    assert [] == kept.errors
    assert len(kept.orders) > 50
    assert [] == kept.lost(project)
    assert [(0,)] == project.sql("SELECT count(*) FROM users WHERE id_beside::bigint IS DISTINCT FROM id")
    assert [(0,)] == project.sql("SELECT count(*) FROM orders WHERE user_id_beside::bigint IS DISTINCT FROM user_id")
    assert {"bigint"} == {row[2] for row in project.sql(TYPES)}


def test_window_counts_from_the_swap_and_traffic_stays(widening: Drive) -> None:
    """Cut-over needs no release: weights and releases are untouched, and the window opened."""
    _to(widening, Phase.BACKFILLED)
    before = widening.project.weights(), widening.project.sql("SELECT * FROM expandcontract.release")
    assert widening.state().window.opened_at is None
    widening.do("advance", [CHANGE])
    state = widening.state()
    assert (Phase.CUT_OVER, True, None) == (state.phase, state.window.opened_at is not None, state.before_cut_over)
    assert before == (widening.project.weights(), widening.project.sql("SELECT * FROM expandcontract.release"))
    widening.do("rollback", [CHANGE])
    assert widening.state().window.opened_at is None
    assert before == (widening.project.weights(), widening.project.sql("SELECT * FROM expandcontract.release"))


def test_value_that_does_not_fit_back(widening: Drive) -> None:
    """A key beyond the old type is written all the same; rolling back is refused with the count until it is gone."""
    project = widening.project
    _to(widening, Phase.CUT_OVER)
    project.sql(f"INSERT INTO users (id, email, boss) VALUES ({BIG}, 'big', 5)")
    project.sql(f"INSERT INTO orders (user_id, total) VALUES ({BIG}, 1)")
    project.sql("UPDATE orders SET user_id = 3000000000 WHERE id = 7")
    assert [(None, 5)] == project.sql("SELECT id_beside, boss_beside FROM users WHERE email = 'big'")
    with pytest.raises(RefusedError, match=r"EC372 fits-back is closed: 3 rows have a value of .*users\.id"):
        widening.do("rollback", [CHANGE])
    assert widening.state().phase is Phase.CUT_OVER
    said = project.ec("verify", CHANGE)
    assert "1 rows have a value of users.id or users.boss that does not fit the old type" in said
    assert "2 rows have a value of orders.user_id that does not fit the old type" in said
    project.sql("DELETE FROM users WHERE email = 'big'")
    widening.do("rollback", [CHANGE])
    assert widening.state().phase is Phase.BACKFILLED


def test_contract_keeps_what_did_not_fit_back(widening: Drive) -> None:
    """The contract's parity is not held up by values that only the new type can have."""
    project = widening.project
    _to(widening, Phase.CUT_OVER)
    project.sql(f"INSERT INTO users (id, email) VALUES ({BIG}, 'big')")
    widening.contract()
    assert [(BIG,)] == project.sql("SELECT id FROM users WHERE email = 'big'")


def test_numbering_beyond_the_old_type(widening: Drive) -> None:
    """Where the sequence itself is beyond the old type, the roll-back is taken back and leaves nothing behind."""
    project = widening.project
    _to(widening, Phase.CUT_OVER)
    before = widening.dump()
    project.sql(f"SELECT setval('users_id_seq', {BIG})")
    with pytest.raises(RefusedError, match=r"was taken back, it is cut_over: .*MAXVALUE"):
        widening.do("rollback", [CHANGE])
    assert (Phase.CUT_OVER, None) == (widening.state().phase, widening.state().in_flight)
    assert before == widening.dump()
    project.sql("SELECT setval('users_id_seq', 1000)")
    widening.do("rollback", [CHANGE])


def test_sessions_that_may_notice_are_named(widening: Drive) -> None:
    """Preflight of cut-over warns with the sessions connected; a prepared SELECT of the key indeed fails after it."""
    _to(widening, Phase.BACKFILLED)
    application = f"{widening.project.database}?application_name=shop"
    with psycopg.connect(application, autocommit=True) as connection:
        for _ in range(8):
            connection.execute("SELECT id FROM users")
        said = widening.project.ec("gate", CHANGE, "cut-over")
        assert f"(shop), backends {connection.info.backend_pid}" in said
        widening.do("advance", [CHANGE])
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            connection.execute("SELECT id FROM users")


def test_another_open_change_of_the_table(widening: Drive) -> None:
    """Triggers of a change beside the swapped one go on working through swap and swap back."""
    project = widening.project
    widening.runner.new("rename-column", table="users", old="email", new="mail")
    _to(widening, Phase.BACKFILLED)
    widening.do("advance", ["users_email_to_mail"])
    widening.advance()
    project.sql("UPDATE users SET email = 'one' WHERE id = 1")
    project.sql("UPDATE users SET mail = 'two' WHERE id = 2")
    widening.do("rollback", [CHANGE])
    project.sql("UPDATE users SET email = 'three' WHERE id = 3")
    found = project.sql("SELECT email, mail FROM users WHERE id IN (1, 2, 3) ORDER BY id")
    assert [("one", "one"), ("two", "two"), ("three", "three")] == found
    assert [] == project.sql("SELECT * FROM expandcontract.integrity()")


def test_plan_shows_swap_and_headroom(widening: Drive) -> None:
    """``ec plan`` lists the statements of the swap in order, and how many keys are left."""
    _to(widening, Phase.BACKFILLED)
    said = widening.project.ec("plan", CHANGE)
    assert "headroom of users.id: users_id_seq has given out 200 of 2147483647 (0.0 %); 2147483447 are left" in said
    assert said.index('LOCK TABLE "public"."orders"') < said.index('LOCK TABLE "public"."users"')
    assert said.index("DROP CONSTRAINT users_pkey") < said.index("expandcontract.trade_columns")
    assert "expandcontract.swap(" in said


def test_a_swap_that_does_not_trade_is_refused(widening: Drive) -> None:
    """A ``cut_over()`` that was edited and leaves a name where it was changes nothing."""
    _to(widening, Phase.BACKFILLED)
    path = _expand(widening.project)
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace('op.trade_columns("users", "boss", "boss_beside")', "pass"), encoding="utf-8")
    before = widening.dump()
    with pytest.raises(Exception, match="does not trade the names of boss and boss_beside of users"):
        widening.do("advance", [CHANGE])
    assert before == widening.dump()
    path.write_text(source, encoding="utf-8")
    widening.do("advance", [CHANGE])


def _expand(project: Project) -> Path:
    return next((project.directory / "migrations" / "versions").glob(f"*_{CHANGE}_expand.py"))
