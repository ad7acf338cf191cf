"""Which limits each statement of an attempt is given."""

from __future__ import annotations

from datetime import timedelta

import pytest

from expandcontract.core.attempt import Patience
from expandcontract.pg import attempt as module
from expandcontract.pg.attempt import Attempt

NONE, THREE, HUNDRED = timedelta(), timedelta(seconds=3), timedelta(milliseconds=100)


@pytest.mark.parametrize(
    ("statement", "limit"),
    [
        ("ALTER TABLE users ADD COLUMN a int", THREE),
        ("\n  alter table users validate constraint c", NONE),
        ("DROP VIEW v", THREE),
        ("CREATE OR REPLACE TRIGGER t BEFORE INSERT ON users", THREE),
        ("SELECT expandcontract.begin_change('x', '{}')", THREE),
        ("SELECT expandcontract.fill_straight('x')", NONE),
        ("SELECT id FROM users", NONE),
        ("UPDATE users SET a = 1", NONE),
        ("CREATE INDEX ix ON users (a)", NONE),
        ("CREATE TABLE copy AS SELECT * FROM users", NONE),
    ],
)
def test_catalogue_only_statements_are_short(statement: str, limit: timedelta) -> None:
    """What only changes the catalogue has three seconds; what reads or writes rows has no limit."""
    attempt = Attempt(1, HUNDRED, Patience())
    assert (HUNDRED, limit) == attempt.limits(statement)
    attempt.limited = False
    assert (HUNDRED, NONE) == attempt.limits("SELECT 1")
    assert NONE == attempt.limits(statement)[1]


def test_a_concurrent_build_waits_as_long_as_it_may() -> None:
    """It has no lock_timeout and the build's deadline."""
    attempt = Attempt(1, HUNDRED, Patience(build=timedelta(hours=2)))
    assert (NONE, timedelta(hours=2)) == attempt.limits("CREATE UNIQUE INDEX\n CONCURRENTLY ix ON users (a)")
    assert "'7200000ms'" in attempt.settings("DROP INDEX CONCURRENTLY ix", local=False)


def test_the_locks_of_a_transaction_share_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for the first lock waits for the second too, so that gets what is left; a new transaction all."""
    now = [10.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    attempt = Attempt(1, HUNDRED, Patience())
    given = []
    for statement in ("SELECT 1", "ALTER TABLE a", "SELECT 1", "DROP TABLE b", "DROP TABLE c"):
        given.append(int(attempt.limits(statement)[0].total_seconds() * 1000))
        now[0] += 0.06
    assert [100, 100, 100, 20, 20] == given
    attempt.begin()
    assert HUNDRED == attempt.limits("ALTER TABLE a")[0]
