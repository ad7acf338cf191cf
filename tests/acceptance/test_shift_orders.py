"""A shift that runs, told from another terminal to stay where it is, to go on, or to go back."""

from __future__ import annotations

import shlex
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.test_repository import _blocks, _run
from tests.acceptance.test_together import wait_until
from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

DUAL = ("advance", CHANGE, "--release", "v2", "--steps", "40,100")
REFUSED, TAKEN_BACK, INTERRUPTED = 3, 5, 130


@contextmanager
def shifting(project: Project, colors: object, *arguments: str, percent: str) -> Iterator[subprocess.Popen[str]]:
    """A shift in its first stage, which lasts until somebody says otherwise."""
    project.settings(colors, soak="10m")  # type: ignore[arg-type]
    process = project.begin(*arguments)
    try:
        wait_until(lambda: process.poll() is not None or percent in project.weights())
        wait_until(
            lambda: process.poll() is not None or project.sql("SELECT 1 FROM expandcontract.traffic WHERE blue = 60")
        )
        project.settings(colors, soak="0s")  # type: ignore[arg-type]
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def ended(process: subprocess.Popen[str], code: int) -> str:
    """What it said, once it has ended."""
    said, _ = process.communicate(timeout=120)
    assert code == process.returncode, said
    return said


def events(project: Project) -> list[object]:
    """The journal's events, first to last."""
    return [event for (event,) in project.sql("SELECT event FROM expandcontract.journal ORDER BY seq")]


def shift(project: Project) -> dict[str, Any]:
    """What ``ec status`` has of the shift under way."""
    traffic: dict[str, Any] = project.document("status")["traffic"]  # type: ignore[assignment]
    found: dict[str, Any] = traffic["shift"]
    return found


def test_paused_interrupted_and_resumed(project: Project, colors: object) -> None:
    """The pause is told in both terminals and outlives the process; resumed, the same command ends the shift."""
    project.ec("advance", CHANGE)
    with shifting(project, colors, *DUAL, percent="green=40") as process:
        said = project.ec("switch", "pause", "--why", "the sale begins")
        assert "the shift toward green stays where it is" in said
        assert "the sale begins" in said
        assert {"why": "the sale begins"}.items() <= shift(project)["paused"].items()
        assert process.stdout is not None
        for line in process.stdout:
            if "paused by" in line:
                assert "the sale begins; the balancer keeps blue 60 %, green 40 %" in line
                assert "ec switch resume goes on, ec switch abort takes the traffic back" in line
                break
        process.send_signal(signal.SIGINT)
        ended(process, INTERRUPTED)
    again = project.begin("advance", CHANGE)
    assert again.stdout is not None
    for line in again.stdout:
        assert "setting" not in line
        if "paused by" in line:
            break
    assert "goes on" in project.ec("switch", "resume")
    ended(again, 0)
    assert "blue=0 green=100" == project.weights()
    assert "dual_writing" == project.phase()
    assert None is project.document("status")["traffic"]["shift"]  # type: ignore[index]
    assert {"shift_pause", "shift_resume"} <= set(events(project))


def test_aborted(project: Project, colors: object) -> None:
    """The traffic is back, the command ends with 5 and says who wanted that; the next one begins anew."""
    project.ec("advance", CHANGE)
    with shifting(project, colors, *DUAL, percent="green=40") as process:
        assert "goes back to blue 100 %, green 0 %" in project.ec("switch", "abort", "--why", "too slow")
        said = ended(process, TAKEN_BACK)
    assert "EC507" in said
    assert "too slow; the traffic was taken back: blue 100 %, green 0 %" in said
    assert "blue=100 green=0" == project.weights()
    assert "expanded" == project.phase()
    story = ["shift_abort", "traffic_intent", "traffic_read", "shift_failed", "taken_back"]
    assert story == events(project)[-len(story) :]
    for word in ("pause", "resume", "abort"):
        assert f"no shift is under way; there is nothing to {word}" in project.ec("switch", word, expect=REFUSED)
    project.ec(*DUAL)
    assert "dual_writing" == project.phase()


def test_a_way_back_aborted(project: Project, colors: object) -> None:
    """A roll-back by stages that is aborted leaves the change where it was; its window starts anew."""
    project.to("cut_over")
    before = project.sql("SELECT window_opened_at FROM expandcontract.change")[0][0]
    with shifting(project, colors, "rollback", CHANGE, "--steps", "40,100", percent="green=40") as process:
        assert [(None,)] == project.sql("SELECT window_opened_at FROM expandcontract.change")
        project.ec("switch", "abort")
        ended(process, TAKEN_BACK)
    assert "blue=100 green=0" == project.weights()
    assert [("cut_over", None)] == project.sql("SELECT phase, move FROM expandcontract.change")
    assert project.sql("SELECT window_opened_at FROM expandcontract.change")[0][0] > before  # type: ignore[operator]


def test_a_shift_as_the_guide_tells_it(project: Project, colors: object) -> None:
    """Every command of the guide, in its order, by two terminals."""
    check, begin, hold, go_on, give_up, back, accept = _blocks("how-to/shift-by-stages.md")
    _run(project, check)
    project.ec("advance", CHANGE)
    words = shlex.split(begin[0])[1:]
    with shifting(project, colors, *words, percent="green=40") as process:
        for lines in (hold, go_on, give_up):
            _run(project, lines)
        assert "the error rate of v2 rises" in ended(process, TAKEN_BACK)
    _run(project, begin)
    assert "dual_writing" == project.phase()
    _run(project, back)
    assert "expanded" == project.phase()
    (project.directory / "weights").write_text("blue=70 green=30", encoding="utf-8")
    _run(project, accept)
    project.ec("advance", CHANGE, "--by", "database")


def test_a_switch_aborted_after_a_kill(project: Project, colors: object) -> None:
    """Nobody is at work: the order waits, and the same command heeds it and knows where the shift had begun."""
    project.ec("deploy", "green", "v1b")
    with shifting(project, colors, "switch", "green", "--steps", "40,100", percent="green=40") as process:
        process.kill()
        process.communicate()
        wait_until(lambda: "nobody works on it" in project.ec("switch", "pause"))
        project.ec("switch", "abort")
    said = project.ec("switch", "green", expect=TAKEN_BACK)
    assert "the traffic was taken back: blue 100 %, green 0 %" in said
    assert "blue=100 green=0" == project.weights()
