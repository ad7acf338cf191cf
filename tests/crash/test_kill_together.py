"""``ec advance A B`` killed in the middle of their one shift: both go on, or back, whichever of them is named."""

from __future__ import annotations

import pytest

from tests.acceptance.test_together import OTHER, wait_until
from tests.fix_project import CHANGE, Answer, Inside, Project

pytestmark = pytest.mark.slow
STATE = "SELECT name, phase, move FROM expandcontract.change ORDER BY name"
START = [(CHANGE, "backfilled", None), (OTHER, "expanded", None)]
END = [(CHANGE, "cut_over", None), (OTHER, "dual_writing", None)]
FLYING = [(CHANGE, "backfilled", "cut-over"), (OTHER, "expanded", "dual-write")]


@pytest.fixture
def empty(empty: Project) -> Inside:
    """The empty project, its ``ec`` in this process where it is not to be killed."""
    return Inside(empty.directory, empty.database)


@pytest.fixture
def cut_off(project: Project, colors: tuple[Answer, Answer]) -> Project:
    """Killed at 50 % of the shift that takes one change to cut_over and the other to dual_writing."""
    project.ec("new", "rename-column", "users", "nick", "handle")
    project.ec("advance", CHANGE, OTHER)
    project.ec("advance", CHANGE, "--release", "v2")
    project.ec("advance", CHANGE)
    project.settings(colors, soak="2s")
    process = project.begin("advance", "--all", "--release", "v3")
    wait_until(lambda: project.weights() == "blue=50 green=50")
    process.kill()
    process.communicate()
    project.settings(colors)
    wait_until(project.left_alone)
    assert FLYING == project.sql(STATE)
    return project


@pytest.mark.parametrize("command", [(CHANGE,), (OTHER,), (OTHER, CHANGE), ("--all",), (OTHER, "--release", "v3")])
def test_resumed_as_a_whole(cut_off: Project, command: tuple[str, ...]) -> None:
    """Both arrive in one transaction, with the release that the shift began with."""
    cut_off.ec("advance", *command)
    assert (END, "blue=100 green=0") == (cut_off.sql(STATE), cut_off.weights())
    assert [(1,)] == cut_off.sql("SELECT count(DISTINCT xmin::text) FROM expandcontract.change")
    cut_off.ec("history", "--verify")


@pytest.mark.parametrize("name", [CHANGE, OTHER])
def test_taken_back_as_a_whole(cut_off: Project, name: str) -> None:
    """The traffic and both changes are where they began; afterwards the shift is made as if for the first time."""
    said = cut_off.ec("rollback", name)
    for taken in (f"cut-over of {CHANGE} was taken back", f"dual-write of {OTHER} was taken back"):
        assert taken in said
    assert (START, "blue=0 green=100") == (cut_off.sql(STATE), cut_off.weights())
    cut_off.ec("advance", CHANGE, OTHER, "--release", "v3")
    assert END == cut_off.sql(STATE)


def test_a_roll_back_cut_off_is_finished_by_itself(project: Project, colors: tuple[Answer, Answer]) -> None:
    """Killed with the traffic on its way, the roll-back of both goes on when either is named."""
    project.ec("new", "rename-column", "users", "nick", "handle")
    project.ec("advance", CHANGE, OTHER)
    project.ec("advance", CHANGE, "--release", "v2")
    project.ec("advance", CHANGE)
    project.ec("advance", CHANGE, OTHER, "--release", "v3")
    colors[1].status(503)
    settings = project.directory / "expandcontract.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace('budget = "1s"', 'budget = "60s"'), "utf-8")
    process = project.begin("rollback", CHANGE, OTHER)
    wait_until(lambda: project.sql("SELECT 1 FROM expandcontract.change WHERE move = 'roll-back'"))
    process.kill()
    process.communicate()
    colors[1].status(200)
    wait_until(project.left_alone)
    assert "is finished first" in project.ec("advance", "--all", expect=3)
    project.ec("rollback", OTHER)
    assert (START, "blue=0 green=100") == (project.sql(STATE), project.weights())
