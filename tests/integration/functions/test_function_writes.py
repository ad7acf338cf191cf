"""While a Python function is at work others write: nothing of theirs is lost, and nothing is locked."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill import parity
from expandcontract.backfill.job import How
from expandcontract.errors import BackfillError
from expandcontract.pg.connect import parse
from tests.acceptance.test_together import wait_until
from tests.backfills import ADDRESS
from tests.fix_filling import CHANGE, mend
from tests.fix_running import Running
from tests.function_fills import RESULT, ROWS, WHOLE, Table, of
from tests.sessions import ours

if TYPE_CHECKING:
    from pathlib import Path

WRITERS = 3
WRITES = 400


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE users SET full_name = 'changed' WHERE id = 7", ("changed", "CHANGED")),
        ("UPDATE users SET display_name = 'own' WHERE id = 7", ("name 7", "own")),
        ("UPDATE users SET full_name = 'both', display_name = 'own' WHERE id = 7", ("both", "own")),
        ("UPDATE users SET full_name = full_name WHERE id = 7", ("name 7", "NAME 7")),
        ("DELETE FROM users WHERE id = 7; INSERT INTO users VALUES (7, 'again')", ("again", None)),
        ("DELETE FROM users WHERE id = 7; INSERT INTO users VALUES (7, 'x', 'own')", ("x", "own")),
    ],
)
@pytest.mark.parametrize("committed", ["before the write", "while the write waits"])
def test_a_write_while_the_function_is_at_work(
    table: Table, gate: Path, statement: str, expected: tuple[str, str | None], committed: str
) -> None:
    """It stays, and what is written is computed from what it left; the other rows are as they would be without it."""
    work = of("at_the_gate")
    table.begin(work)
    running = Running(table.address, work, How(pace=WHOLE, most_pages=1000))
    with psycopg.connect(table.address, autocommit=committed == "before the write") as writer:
        wait_until((gate / "entered").exists)
        writer.execute(statement)
        (gate / "go").touch()
        if committed == "while the write waits":
            waiting = f"SELECT count(*) {ours()} AND wait_event_type = 'Lock'"
            wait_until(lambda: table.run(waiting) == [(1,)] or running.error is not None)
            writer.commit()
    running.finish()
    found = table.run("SELECT full_name, display_name FROM users WHERE id = 7")
    allowed = {expected} if expected[1] is not None else {expected, (expected[0], expected[0].upper())}
    assert found[0] in allowed
    assert [] == table.run("SELECT id FROM users WHERE id <> 7 AND display_name IS DISTINCT FROM upper(full_name)")
    list(mend(table.address, work))
    assert 0 == parity.count(parse(table.address), CHANGE, work)


def test_another_row_in_the_same_place(table: Table, gate: Path) -> None:
    """Rows are vacuumed away and others inserted where they were: none gets what was computed for another."""
    work = of("at_the_gate")
    table.begin(work)
    places = "SELECT tableoid, ctid::text FROM users WHERE id "
    before = table.run(f"{places} <= 250")
    running = Running(table.address, work, How(pace=WHOLE, most_pages=1000))
    wait_until((gate / "entered").exists)
    table.run("DELETE FROM users WHERE id <= 250")
    table.run("VACUUM users")
    table.run("INSERT INTO users SELECT n, 'other ' || n FROM generate_series(250, 1, -1) AS n")
    assert set(before) & set(table.run(f"{places} <= 250"))
    (gate / "go").touch()
    running.finish()
    assert [] == table.run("SELECT * FROM users WHERE display_name <> upper(full_name)")
    list(mend(table.address, work))
    assert [(300,)] == table.run(RESULT)


def test_a_row_that_never_rests_is_left(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is computed again a few times, then left to the comparison; nothing that was written to it is lost."""
    monkeypatch.setenv(ADDRESS, table.address)
    table.fill(of("restless"))
    assert [(ROWS - 1,)] == table.run(RESULT)
    assert [(True, None)] == table.run("SELECT full_name ~ '^name 7[.]{3,}$', display_name FROM users WHERE id = 7")
    list(mend(table.address, of("shout")))
    assert [(ROWS,)] == table.run(RESULT)


def test_a_comparison_that_mends_nothing_ends(users: Table) -> None:
    """Rows that the function leaves are named after two passes, with what to declare."""
    users.fill(of("every_other"))
    with pytest.raises(BackfillError, match=r"rows still lack a value after 2 passes: users id=1") as told:
        list(mend(users.address, of("every_other")))
    assert "tests.backfills:every_other left these rows as they are; say in where=" in str(told.value.hint)


class Writer(threading.Thread):
    """A release that writes both columns, and now and then one that knows the old one only."""

    def __init__(self, address: str, number: int) -> None:
        super().__init__(daemon=True)
        self.address, self.number = address, number
        self.last: dict[int, str] = {}

    def run(self) -> None:
        """Write rows that nobody else writes; what was acknowledged is kept."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            for turn in range(WRITES):
                key = 1 + self.number + WRITERS * (turn * 7 % 13)
                value = f"{self.number} {turn}"
                both = value.upper() if turn % 3 == 0 else None
                connection.execute(
                    "UPDATE users SET full_name = %s, display_name = %s WHERE id = %s", (value, both, key)
                )
                self.last[key] = value


def test_no_acknowledged_write_is_lost(table: Table) -> None:
    """Three writers, and a function that fills again and again what they leave unfilled."""
    work = of("shout")
    table.fill(work)
    writers = [Writer(table.address, number) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    while any(writer.is_alive() for writer in writers):
        list(mend(table.address, work))
    list(mend(table.address, work))
    expected = {key: (value, value.upper()) for writer in writers for key, value in writer.last.items()}
    assert WRITERS * 13 == len(expected)
    found = table.run("SELECT id, full_name, display_name FROM users")
    assert expected == {key: (value, both) for key, value, both in found if key in expected}


def test_nothing_is_locked_while_the_function_is_at_work(users: Table, gate: Path) -> None:
    """The backfill has no transaction open, holds no lock, and keeps its claim beyond the lease."""
    work = of("at_the_gate")
    users.begin(work)
    running = Running(users.address, work, How(pace=WHOLE, lease=timedelta(seconds=0.6)))
    try:
        wait_until((gate / "entered").exists)
        held = f"SELECT count(*) FROM pg_locks JOIN (SELECT pid, backend_xid {ours('backfill')}) AS ours USING (pid)"
        wait_until(lambda: users.run(f"{held} WHERE backend_xid IS NOT NULL") == [(0,)])
        assert [(0,)] == users.run(f"{held} WHERE relation = 'users'::regclass")
        lease = users.run("SELECT lease_until FROM expandcontract.segment")
        wait_until(lambda: users.run("SELECT lease_until FROM expandcontract.segment") > lease)
        wait_until(lambda: users.run("SELECT lease_until FROM expandcontract.segment") > lease)
        assert [(1, 0)] == users.run("SELECT claim, rows_filled FROM expandcontract.segment")
    finally:
        (gate / "go").touch()
    running.finish()
    assert [(1, ROWS)] == users.run("SELECT claim, rows_filled FROM expandcontract.segment")


def test_a_worker_that_lost_its_claim_writes_nothing(users: Table, gate: Path) -> None:
    """The segment is taken over while the function is at work: what it gives is thrown away, and computed again."""
    work = of("at_the_gate")
    users.begin(work)
    running = Running(users.address, work, How(pace=WHOLE))
    wait_until((gate / "entered").exists)
    users.run(
        "UPDATE expandcontract.segment SET claim = claim + 1, worker = 'other', lease_until = now() + interval '1h'"
    )
    (gate / "go").touch()
    wait_until(lambda: running.last is not None and any("another worker" in lane.doing for lane in running.last.lanes))
    assert [(0,)] == users.run(RESULT)
    users.run("UPDATE expandcontract.segment SET lease_until = now() - interval '1s'")
    running.finish()
    assert [(ROWS,)] == users.run(RESULT)
