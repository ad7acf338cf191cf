"""The drop is refused until the rollback window has expired, whoever asks and whatever the client's clock says."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = 3
CLOCK = """
import datetime as module, time
real, ahead = time.time, 30 * 24 * 3600
time.time = lambda: real() + ahead
class Ahead(module.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + module.timedelta(seconds=ahead)
    @classmethod
    def utcnow(cls):
        return super().utcnow() + module.timedelta(seconds=ahead)
module.datetime = Ahead
"""


def _window(project: Project) -> dict[str, Any]:
    return next(
        g for g in project.document("gate", CHANGE, "contract", expect=REFUSED)["gates"] if g["gate"] == "window"
    )  # type: ignore[attr-defined]


def test_contract_within_the_window(project: Project) -> None:
    """Exit 3 with the gate, the time it closes and how long that is; the gate's document agrees, with opens_at."""
    project.to("cut_over")
    said = project.ec("advance", CHANGE, expect=REFUSED)
    assert "EC360" in said
    assert "window" in said
    gate = _window(project)
    opened = project.sql("SELECT window_opened_at FROM expandcontract.change")[0][0]
    assert isinstance(opened, datetime)
    closes = opened + timedelta(hours=24)
    assert closes == datetime.fromisoformat(gate["opens_at"])
    assert f"{closes:%Y-%m-%d %H:%M:%S}" in said.replace("\n", " ")
    assert "in 1d" in said or "in 23h59m" in said
    assert project.phase() == "cut_over"


def test_the_clients_clock_decides_nothing(project: Project, tmp_path: Path) -> None:
    """With the client's clock a month ahead the contract is refused as before, until the same time."""
    project.to("cut_over")
    before = _window(project)["opens_at"]
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock" / "sitecustomize.py").write_text(CLOCK, encoding="utf-8")
    environment = {**project.environment, "PYTHONPATH": str(tmp_path / "clock")}
    ahead = type("Ahead", (Project,), {"environment": environment})(project.directory, project.database)
    assert before == _window(ahead)["opens_at"]
    assert "EC360" in ahead.ec("advance", CHANGE, expect=REFUSED)


def test_going_back_and_forth_starts_the_window_anew(project: Project) -> None:
    """After a roll-back the window is closed for good; the next cut-over opens a new one, later than the first."""
    project.to("cut_over")
    first = _window(project)["opens_at"]
    project.ec("rollback", CHANGE)
    assert ("backfilled", "blue=0 green=100") == (project.phase(), project.weights())
    assert [(None,)] == project.sql("SELECT window_opened_at FROM expandcontract.change")
    project.ec("advance", CHANGE, "--release", "v3")
    assert first < _window(project)["opens_at"]


def test_the_window_can_be_lengthened_and_ends(project: Project, colors: Any) -> None:
    """--extend lengthens it by that much; a window of no length lets the contract through, once."""
    project.to("cut_over")
    first = datetime.fromisoformat(_window(project)["opens_at"])
    project.ec("window", CHANGE, "--extend", "2h")
    assert first + timedelta(hours=2) == datetime.fromisoformat(_window(project)["opens_at"])
    project.ec("rollback", CHANGE)
    project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    project.ec("advance", CHANGE, "--release", "v3")
    project.ec("advance", CHANGE)
    assert project.phase() == "contracted"
    assert [] == project.sql("SELECT 1 FROM information_schema.columns WHERE column_name = 'full_name'")
    assert [] == project.sql("SELECT 1 FROM pg_trigger WHERE tgname LIKE 'zz_expandcontract%'")
    project.ec("history", "--verify")
