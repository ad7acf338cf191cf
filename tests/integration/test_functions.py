"""A Python function fills rows: nothing that was written meanwhile is lost, and it is told where it fails."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from expandcontract.backfill import parity
from expandcontract.backfill.fill import fill
from expandcontract.backfill.job import How
from expandcontract.core.fill import Fill
from expandcontract.core.pace import Pace
from expandcontract.errors import BackfillError, FunctionError, MappingError
from expandcontract.pg.connect import parse
from tests.acceptance.test_together import wait_until
from tests.backfills import ADDRESS, GATE
from tests.fix_filling import CHANGE, begin, mend
from tests.fix_running import SMALL, Running
from tests.sessions import ours

WHOLE = Pace(window_pages=1000, stripes=1, batch_pages=1000, target=timedelta(seconds=60))
TABLES = {
    "key": "CREATE TABLE users (id bigint PRIMARY KEY, full_name text, display_name varchar(20))",
    "no key": "CREATE TABLE users (id bigint, full_name text, display_name varchar(20))",
    "parts": "CREATE TABLE users (id bigint PRIMARY KEY, full_name text, display_name varchar(20))"
    " PARTITION BY RANGE (id);"
    "CREATE TABLE users_low PARTITION OF users FOR VALUES FROM (0) TO (100);"
    "CREATE TABLE users_high PARTITION OF users DEFAULT",
}
ROWS = 300
WRITERS = 3
WRITES = 400
RESULT = "SELECT count(*) FROM users WHERE display_name = upper(full_name)"


def of(name: str, **more: Any) -> Fill:
    """A fill of the table by one of the test's functions."""
    return Fill("users", function=f"tests.backfills:{name}", reads=["id", "full_name"], writes=["display_name"], **more)


class Table:
    """The table, and a change that fills it."""

    def __init__(self, address: str, shape: str) -> None:
        self.address = address
        self.run(TABLES[shape])
        self.run(f"INSERT INTO users SELECT n, 'name ' || n FROM generate_series(1, {ROWS}) AS n")

    def run(self, script: str) -> list[tuple[Any, ...]]:
        """Run SQL by hand."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            cursor = connection.execute(script)
            return cursor.fetchall() if cursor.description else []

    def begin(self, work: Fill) -> None:
        """Begin the change."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            begin(connection, work)

    def fill(self, work: Fill, **how: Any) -> None:
        """Fill it, from the change's begin."""
        self.begin(work)
        list(fill(parse(self.address), CHANGE, work, How(**{"pace": WHOLE, "most_pages": 1000, **how}), epoch=0))


@pytest.fixture(params=list(TABLES))
def table(request: pytest.FixtureRequest, ledger_database: str) -> Table:
    """Of every kind."""
    return Table(ledger_database, request.param)


@pytest.fixture
def users(ledger_database: str) -> Table:
    """With a primary key."""
    return Table(ledger_database, "key")


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the function says that it was called, and waits to be let on."""
    monkeypatch.setenv(GATE, str(tmp_path))
    return tmp_path


def test_every_row_is_filled_once(table: Table) -> None:
    """In small batches by two workers, each with a process of its own; on any kind of table."""
    table.run(
        "CREATE TABLE written (id bigint); CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN INSERT INTO written VALUES (NEW.id); RETURN NULL; END';"
        "CREATE TRIGGER counted AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION count_write()"
    )
    table.fill(of("shout"), pace=SMALL, most_pages=8, workers=2)
    assert [(ROWS,)] == table.run(RESULT)
    assert [(ROWS, ROWS)] == table.run("SELECT count(*), count(DISTINCT id) FROM written")
    assert [(ROWS, True)] == table.run(
        "SELECT sum(rows_filled), bool_and(done_at IS NOT NULL) FROM expandcontract.segment"
    )


def test_values_of_every_sort_arrive(ledger_database: str) -> None:
    """JSON, arrays, numbers, times, bytes, fixed-width text and enums, under names that need quoting."""
    columns = "j jsonb, a text[], n numeric(9,3), t timestamptz, b bytea, c char(4), o boolean, m mood"
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute("CREATE TYPE mood AS ENUM ('sad', 'glad')")
        connection.execute(
            f'CREATE TABLE "odd %s" ({columns}, j2 jsonb, a2 text[], n2 numeric(9,3), t2 timestamptz, b2 bytea,'
            " c2 char(4), o2 boolean, m2 mood)"
        )
        connection.execute(
            """INSERT INTO "odd %s"
            VALUES ('{"x": [1]}', '{"a b",NULL}', 2.5, '2024-02-03 04:05+00', '\\x01', 'z', true, 'sad')"""
        )
        reads, writes = list("jantbcom"), [f"{name}2" for name in "jantbcom"]
        work = Fill(
            '"odd %s"', function="tests.backfills:turned", reads=reads, writes=writes, where='"odd %s".o2 IS NULL'
        )
        begin(connection, work)
        list(fill(parse(ledger_database), CHANGE, work, How(pace=WHOLE), epoch=0))
        row = connection.execute('SELECT j2::text, a2, n2::text, t2, b2, c2, o2, m2 FROM "odd %s"').fetchone()
        assert row is not None
    assert ('{"n": [1, null], "was": {"x": [1]}}', ["a b", None, 'it\'s "é"'], "5.000") == row[:3]
    assert 2000 == row[3].year
    assert (b"\x01\x00\xff", "ab  ", False, "glad") == row[4:]


def test_a_row_that_is_left_lacks_its_value(users: Table) -> None:
    """``None`` writes nothing; the comparison counts these rows, unless the condition leaves them out."""
    users.fill(of("every_other"))
    assert [(ROWS // 2,)] == users.run(RESULT)
    address = parse(users.address)
    assert ROWS // 2 == parity.count(address, CHANGE, of("every_other"))
    assert 0 == parity.count(address, CHANGE, of("every_other", where="display_name IS NULL AND id % 2 = 0"))


def test_a_comparison_repairs_with_the_function(table: Table) -> None:
    """Rows that came after the backfill, in pages beyond those that it knew, are filled by the repair."""
    table.fill(of("shout"))
    table.run("INSERT INTO users SELECT n, 'late ' || n FROM generate_series(1001, 3000) AS n")
    *_, last = mend(table.address, of("shout"))
    assert (2, 0) == (last.number, last.differing)
    assert [(ROWS + 2000,)] == table.run(RESULT)


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


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("seventh", r"raised ValueError: .*no number.* \(line \d+ of .*backfills.py\); at row id = 7 of users"),
        (
            "together",
            rf"raised LookupError: only one at a time .*; at {ROWS} rows of users, from row id = 1 to row id = {ROWS}",
        ),
        ("leaves", r"raised SystemExit: 3 .*; at row id = 1 of users"),
        ("short", rf"gave {ROWS - 1} results for {ROWS} rows"),
        ("lazy", r"gave a generator, not a list"),
        ("other_columns", r"gave name, and is declared to write display_name; at row id = 7 of users"),
        ("no_dictionary", r"gave a str, neither a dictionary nor None; at row id = 1"),
        (
            "odd",
            r"gave a Odd for display_name, which cannot be written: cannot adapt type 'Odd'.*; at row id = 7 of users",
        ),
        ("unspeakable", r"gave something that cannot leave its process: TypeError: cannot pickle"),
        ("long", r"gave what PostgreSQL does not take: value too long for type character varying\(20\); at row id = 7"),
        ("dies", r"ended its own process, killed by SIGKILL"),
        ("exits", r"ended its own process with exit code 7"),
    ],
)
def test_a_function_that_fails(users: Table, name: str, said: str) -> None:
    """What it did, for which row, and the type of each value there but no value; nothing of the batch is written."""
    with pytest.raises(FunctionError, match=said) as caught:
        users.fill(of(name))
    assert "read as id int, full_name str" in caught.value.message
    assert "name 7" not in caught.value.message
    assert [(0,)] == users.run("SELECT count(display_name) FROM users")
    assert [(0, 0, 0)] == users.run("SELECT cursor_page, cursor_stripe, rows_filled FROM expandcontract.segment")


def test_a_failure_keeps_what_was_committed(users: Table) -> None:
    """Batches before the one that fails stay, and mended it goes on behind them."""
    users.run("UPDATE users SET full_name = 'NULL' WHERE id = 250; UPDATE users SET full_name = NULL WHERE id = 250")
    one = Pace(window_pages=1, stripes=1, batch_pages=1, target=timedelta(seconds=1))
    with pytest.raises(FunctionError, match="at row id = 250 of users, read as id int, full_name NULL"):
        users.fill(of("shout"), pace=one, most_pages=1)
    ((before,),) = users.run("SELECT count(display_name) FROM users")
    assert 0 < before < 250
    users.run("UPDATE users SET full_name = 'mended' WHERE id = 250")
    list(fill(parse(users.address), CHANGE, of("shout"), How(pace=one, most_pages=1), epoch=0))
    assert [(ROWS,)] == users.run(RESULT)


def test_a_function_that_takes_too_long(users: Table) -> None:
    """It gets fewer rows; where it hangs for a single page too, that is told with the first and the last."""
    with pytest.raises(FunctionError, match=r"took longer than 0.2s; at \d+ rows of users, from row id = 1 to"):
        users.fill(of("hangs_always"), function_limit=timedelta(seconds=0.2))
    assert [(0,)] == users.run("SELECT count(display_name) FROM users")


def test_fewer_rows_may_be_quick_enough(users: Table) -> None:
    """A batch that was broken off is halved until it can be done."""
    users.run("ALTER TABLE users ADD wide text; ALTER TABLE users ALTER wide SET STORAGE PLAIN")
    users.run("DELETE FROM users WHERE id > 6; UPDATE users SET wide = repeat('x', 7000)")  # a row a page
    users.fill(of("hangs"), function_limit=timedelta(seconds=0.3))
    assert [(6,)] == users.run(RESULT)


@pytest.mark.parametrize("how", ["stop", "pause"])
def test_a_function_that_hangs_can_be_stopped(users: Table, gate: Path, how: str) -> None:
    """Stopped or paused, it is broken off at once; the segment is free, and nothing was written."""
    work = of("at_the_gate")
    users.begin(work)
    running = Running(users.address, work, How(pace=WHOLE))
    wait_until((gate / "entered").exists)
    process = int((gate / "entered").read_text(encoding="utf-8") or 0)
    if how == "pause":
        users.run("UPDATE expandcontract.backfill SET paused_at = now()")
        wait_until(lambda: users.run("SELECT worker FROM expandcontract.segment") == [(None,)])
    running.stop()
    assert [(None, 0, 0)] == users.run("SELECT worker, cursor_page, rows_filled FROM expandcontract.segment")
    assert [(0,)] == users.run("SELECT count(display_name) FROM users")
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tests.nowhere:f", "cannot be imported: there is no module tests.nowhere"),
        ("tests.backfills:missing", "tests.backfills has no such function"),
        ("tests.backfills:nothing", "tests.backfills has no such function"),
        ("tests.backfills:number", "tests.backfills has a int, which cannot be called"),
    ],
)
def test_a_function_that_is_none(users: Table, name: str, said: str) -> None:
    """It is told before there is a segment."""
    work = Fill("users", function=name, reads=["id"], writes=["display_name"])
    with pytest.raises(MappingError, match=said):
        users.fill(work)
    assert [(0,)] == users.run("SELECT count(*) FROM expandcontract.segment")


@pytest.mark.parametrize("side", ["reads", "writes"])
def test_a_column_that_is_not_there(users: Table, side: str) -> None:
    """It is told before there is a segment, with the nearest name."""
    work = Fill(
        "users", function="tests.backfills:shout", **{"reads": ["id"], "writes": ["display_name"], side: ["ful_name"]}
    )
    with pytest.raises(MappingError, match="to use ful_name, which users does not have; did you mean full_name"):
        users.fill(work)
    assert [(0,)] == users.run("SELECT count(*) FROM expandcontract.segment")


def test_what_it_prints_is_no_output_of_ours(users: Table, capfd: pytest.CaptureFixture[str]) -> None:
    """It goes to standard error."""
    users.fill(of("prints"))
    out, err = capfd.readouterr()
    assert ("", True) == (out, "on the way" in err)


def test_the_process_ends_with_the_one_that_asked(users: Table, gate: Path) -> None:
    """Killed without a word, the backfill leaves no process behind that hangs; the next one fills every row."""
    users.begin(of("at_the_gate"))
    asking = subprocess.Popen([sys.executable, "-m", "tests.filler", users.address, "--function", "at_the_gate"])
    try:
        wait_until(lambda: (gate / "entered").exists() and (gate / "entered").read_text(encoding="utf-8"))
        process = int((gate / "entered").read_text(encoding="utf-8"))
        os.kill(process, 0)
    finally:
        asking.kill()
        asking.wait()
    wait_until(lambda: not _runs(process))
    list(fill(parse(users.address), CHANGE, of("at_the_gate"), How(pace=SMALL, most_pages=8), epoch=0))
    assert [(ROWS,)] == users.run(RESULT)


def _runs(process: int) -> bool:
    """Whether there is such a process that has not ended; one that nobody waits for may stay as a zombie."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
