"""``ec run``: as far as the gates allow, in lines that a log can have, and safe for a timer to call."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.test_together import OTHER, wait_until
from tests.fix_project import CHANGE, Inside, Project

if TYPE_CHECKING:
    from tests.fix_project import Answer

pytestmark = pytest.mark.slow

REFUSED, BUSY, UNHEALTHY, INTERRUPTED = 3, 4, 5, 130
WINDOW = "UPDATE expandcontract.change SET window_length = interval '{}'"
MOVER = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND classid = 0 AND objsubid = 1"


@pytest.fixture
def empty(empty: Project) -> Inside:
    """The empty project, its ``ec`` in this process."""
    return Inside(empty.directory, empty.database)


def _moves(said: str) -> list[str]:
    return [line.removeprefix("● ").split(";")[0] for line in said.splitlines() if line.startswith("● ")]


def test_from_planned_to_contracted(project: Project) -> None:
    """It stops where a release is wanted, never guesses one, waits for the window alone, and then has nothing left."""
    said = project.ec("run", CHANGE, expect=REFUSED)
    assert [f"{CHANGE} is expanded"] == _moves(said)
    assert "dual-write is refused: EC330 release-chosen is closed: no release was named, and none is guessed" in said
    said = project.ec("run", CHANGE, "--release", "v2", expect=REFUSED)
    assert [f"{CHANGE} is dual_writing", f"{CHANGE} is backfilled"] == _moves(said)
    assert f"release v2 speaks dual of {CHANGE}, this move wants one that speaks new" in said
    project.sql(WINDOW.format("24h"))
    said = project.ec("run", CHANGE, "--release", "v3", expect=REFUSED)
    assert [f"{CHANGE} is cut_over"] == _moves(said)
    assert "contract is refused: EC360 window is closed: the rollback window closes at" in said
    started = time.monotonic()
    assert "EC360" in project.ec("run", CHANGE, "--wait", "1h", expect=REFUSED)
    assert time.monotonic() - started < 30
    project.ec("deploy", "green", "v3")
    seconds = "UPDATE expandcontract.change SET window_length = clock_timestamp() - window_opened_at + interval '5s'"
    project.sql(seconds)
    said = project.ec("run", CHANGE, "--wait", "10m")
    assert f"for {CHANGE}: EC360 window is closed" in said
    assert [f"{CHANGE} is contracted"] == _moves(said)
    for _ in range(2):
        assert "nothing is left to do" in project.ec("run", CHANGE)


def test_lines_as_documents(project: Project) -> None:
    """Each line is a document, the moves and at last the status, or the error with its exit code."""
    said = project.ec("run", "--all", "--json-lines", expect=REFUSED)
    lines = [json.loads(line) for line in said.splitlines()]
    assert ["finished"] == [line["kind"] for line in lines[:-1]]
    assert (REFUSED, "EC301") == (lines[-1]["error"]["exit_code"], lines[-1]["error"]["code"])
    assert [(CHANGE, "expanded", "dual-write")] == [(x["change"], x["phase"], x["move"]) for x in lines[-1]["left"]]
    said = project.ec("run", "--all", "--by", "database", "--json-lines", expect=REFUSED)
    moves = [line for line in map(json.loads, said.splitlines()[:-1]) if line["kind"] == "finished"]
    phases = [line["data"]["phase"] for line in moves]
    assert ["dual_writing", "backfilled"] == phases


def test_what_stands_on_the_idle_color(project: Project) -> None:
    """Taken only where that is asked for, and only for what it was recorded to speak."""
    project.to("backfilled")
    project.ec("deploy", "blue", "v3", "--speaks", f"{CHANGE}=dual")
    assert "no release was named" in project.ec("run", CHANGE, expect=REFUSED)
    said = project.ec("run", CHANGE, "--deployed", expect=REFUSED)
    assert f"release v3 speaks dual of {CHANGE}, this move wants one that speaks new" in said
    assert ("backfilled", "blue=0 green=100") == (project.phase(), project.weights())
    project.ec("deploy", "blue", "v3", "--speaks", f"{CHANGE}=new")
    assert "EC360" in project.ec("run", CHANGE, "--deployed", expect=REFUSED)
    assert ("cut_over", "blue=100 green=0") == (project.phase(), project.weights())
    before = project.sql("SELECT max(seq) FROM expandcontract.journal")
    assert "EC360" in project.ec("run", CHANGE, "--deployed", expect=REFUSED)
    assert before == project.sql("SELECT max(seq) FROM expandcontract.journal")


def test_what_was_rolled_back_is_left_alone(project: Project) -> None:
    """A timer does not undo what a person did; once a person advances it, it goes on."""
    project.to("cut_over")
    project.ec("rollback", CHANGE)
    for flags in (("--release", "v3"), ("--deployed",)):
        said = project.ec("run", CHANGE, *flags, expect=REFUSED)
        assert f"{CHANGE} stays backfilled, cut-over is refused: it was taken back at" in said
        assert f"next: ec advance {CHANGE}" in said
    project.ec("rollback", CHANGE)
    project.ec("advance", CHANGE)
    assert "EC360" in project.ec("run", CHANGE, "--release", "v3", expect=REFUSED)
    assert "cut_over" == project.phase()


def test_a_release_that_failed_is_not_tried_again(project: Project, colors: tuple[Answer, Answer]) -> None:
    """Exit 5 once; the next call of the timer says why it stands still."""
    project.to("backfilled")
    colors[0].status(503)
    project.ec("run", CHANGE, "--release", "v3", expect=UNHEALTHY)
    colors[0].status(200)
    assert "it was taken back at" in project.ec("run", CHANGE, "--release", "v3", expect=REFUSED)
    assert ("backfilled", "blue=0 green=100") == (project.phase(), project.weights())


def test_several_with_one_release(project: Project) -> None:
    """Each goes its way, the shifts are one, and each that stops says why."""
    project.ec("new", "rename-column", "users", "nick", "handle")
    project.to("backfilled")
    said = project.ec("run", "--all", "--release", "v3", expect=REFUSED)
    assert [
        f"{OTHER} is expanded",
        f"{CHANGE} is cut_over",
        f"{OTHER} is dual_writing",
        f"{OTHER} is backfilled",
    ] == _moves(said)
    assert f"v3 is taken to speak new of {CHANGE}, dual of {OTHER}" in said
    assert f"{CHANGE} stays cut_over, contract is refused: EC360" in said
    assert f"{OTHER} stays backfilled, cut-over is refused: EC330" in said


def test_the_second_instance_and_the_end_of_the_first(project: Project) -> None:
    """While one waits it holds no mover lock, a second one exits 4, and SIGTERM ends the first and leaves nothing."""
    project.to("cut_over")
    project.sql(WINDOW.format("1h"))
    first = project.begin("run", CHANGE, "--wait", "48h")
    try:
        assert first.stdout is not None
        assert "waiting" in first.stdout.readline()
        assert [] == project.sql(MOVER)
        for names in ((CHANGE,), ("--all",)):
            said = project.ec("run", *names, expect=BUSY)
            assert f"ec run {CHANGE} (backend" in said
        project.ec("verify", CHANGE)
        first.send_signal(signal.SIGTERM)
        assert INTERRUPTED == first.wait(timeout=60)
        assert f"ec run {CHANGE} goes on from here" in first.stdout.read()
    finally:
        first.kill()
        first.communicate()
    assert [("cut_over", None)] == project.sql("SELECT phase, move FROM expandcontract.change")
    wait_until(lambda: not project.sql("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"))


def test_a_roll_back_while_it_waits(project: Project) -> None:
    """It is free to be made, and the run notices and stops with the reason."""
    project.to("cut_over")
    project.sql(WINDOW.format("1h"))
    first = project.begin("run", "--all", "--wait", "48h")
    try:
        assert first.stdout is not None
        assert "waiting" in first.stdout.readline()
        project.ec("rollback", CHANGE)
        said, _ = first.communicate(timeout=120)
        assert REFUSED == first.returncode
        assert "it was taken back at" in said
    finally:
        first.kill()


def test_killed_in_the_middle_of_a_shift(project: Project, colors: tuple[Answer, Answer]) -> None:
    """The next call resumes it with the release that it began with, whatever the timer names."""
    project.to("backfilled")
    project.settings(colors, soak="3s")
    process = project.begin("run", CHANGE, "--release", "v3", "--steps", "50,100")
    wait_until(lambda: project.weights() == "blue=50 green=50")
    process.kill()
    process.communicate()
    project.settings(colors)
    wait_until(project.left_alone)
    project.ec("run", CHANGE, expect=REFUSED)
    assert ("cut_over", "blue=100 green=0") == (project.phase(), project.weights())
