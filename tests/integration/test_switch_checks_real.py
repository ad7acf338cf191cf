"""``ec switch --check`` before real balancers: good where they are set up, and to the point where they are not."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Weights
from expandcontract.traffic.checks import look
from expandcontract.traffic.haproxy import open_haproxy
from tests.integration.test_switch_contract import rig
from tests.switches.rig import ProcessRig

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_project import Project
    from tests.switches.haproxy import HAProxyRig
    from tests.switches.rig import Rig

__all__ = ["rig"]
UNUSABLE = 5


def test_set_up_and_away(rig: Rig) -> None:
    """Where it answers every finding is good; where it does not, the last finding and others say what to start."""
    found = look(rig.switch())
    assert [] == [check for check in found if not check.ok]
    assert "the balancer gives blue 100 %, green 0 %" == found[-1].what
    assert Weights(100, 0) == rig.switch().read()
    rig.stop()
    wrong = [check for check in look(rig.switch()) if not check.ok]
    assert wrong[-1].what != found[-1].what
    assert all(check.fix for check in wrong)
    rig.start()


@pytest.mark.parametrize("rig", ["envoy", "haproxy", "nginx"], indirect=True)
def test_a_folder_that_is_not_there(rig: Rig, tmp_path: Path) -> None:
    """A file that could not be replaced is found before anything has to be written."""
    assert isinstance(rig, ProcessRig)
    strange = rig.switch()
    file = next(name for name in ("_routes", "_map", "_include") if hasattr(strange, name))
    setattr(strange, file, tmp_path / "nowhere" / "weights")
    assert [f"there is no folder {tmp_path / 'nowhere'}"] == [
        check.what for check in look(strange) if "no folder" in check.what
    ]


@pytest.mark.parametrize("rig", ["haproxy"], indirect=True)
def test_a_socket_without_the_level(rig: HAProxyRig, tmp_path: Path) -> None:
    """A stats socket that may only look is refused by what it says of itself, without a write."""
    text = rig.config.read_text(encoding="utf-8")
    assert "level admin" in text
    rig.stop()
    rig.config.write_text(text.replace("level admin", "level operator"), encoding="utf-8")
    rig.start()
    wrong = [check for check in look(open_haproxy(rig.options())) if not check.ok]
    assert ["give its stats socket `level admin`"] == [check.fix for check in wrong]


def test_by_command(project: Project) -> None:
    """``ec switch --check`` exits 0, and 5 once the command that reads is gone; each finding is a line."""
    said = project.ec("switch", "--check")
    assert "✓ cat is there" in said
    assert "switch command can be used" in said
    shutil.move(project.directory / "weights", project.directory / "moved")
    assert "✗ the traffic command" in project.ec("switch", "--check", expect=UNUSABLE)
    assert project.document("switch", "--check", expect=UNUSABLE)["ok"] is False
