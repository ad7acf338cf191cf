"""Where a Python function fails, what it did is told, and for which row; nothing of the batch is written."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from expandcontract.backfill.fill import fill
from expandcontract.backfill.job import How
from expandcontract.core.fill import Fill
from expandcontract.core.pace import Pace
from expandcontract.errors import FunctionError, MappingError
from expandcontract.pg.connect import parse
from tests.acceptance.test_together import wait_until
from tests.fix_filling import CHANGE
from tests.fix_running import SMALL, Running
from tests.function_fills import RESULT, ROWS, WHOLE, Table, of


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
