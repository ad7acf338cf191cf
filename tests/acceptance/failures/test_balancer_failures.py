"""What goes wrong with a balancer: the traffic is back once it answers, and until then the move stays in flight."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Weights
from expandcontract.traffic.switch import standing
from tests.acceptance.test_together import wait_until
from tests.failing import TRAFFIC, Case
from tests.fix_project import CHANGE
from tests.services import when
from tests.switches.envoy import EnvoyRig
from tests.switches.haproxy import HAProxyRig

if TYPE_CHECKING:
    from tests.switches.rig import ProcessRig

pytestmark = pytest.mark.slow


def test_a_balancer_that_does_nothing(case: Case) -> None:
    """It takes the write, and reads what it read before."""
    case.settings(options={"write": "true"})
    said = case.fails()
    assert "EC502" in said
    assert "the balancer was given blue 90 %, green 10 % and reads blue 100 %, green 0 %" in said
    assert "blue=100 green=0" == case.project.weights()
    assert ["began", "deploy_intent", "deployed", "traffic_intent", "traffic_read"] == case.events()[:5]
    assert "reads blue 100 %" in case.told("shift_failed")["why"]
    case.settings()
    case.succeeds()


@pytest.mark.parametrize("rig", [EnvoyRig, HAProxyRig], ids=lambda rig: rig.name, indirect=True)
def test_a_balancer_that_is_away_for_a_while(case: Case, rig: ProcessRig) -> None:
    """It ends in a stage and is there again some seconds later: the same command takes the traffic back then."""
    case.settings(rig=rig, soak="2s")
    with when(lambda: standing(rig.switch()).green >= 25, rig.stop):
        process = case.project.begin("advance", CHANGE, "--release", "v2")
        wait_until(lambda: rig.process is None or rig.process.poll() is not None)
        time.sleep(2)
        rig.start()
        said, _ = process.communicate(timeout=60)
    assert TRAFFIC == process.returncode, said
    assert "EC502" in said
    assert Weights(100, 0) == rig.switch().read()
    assert "expanded" == case.project.phase()
    assert "shift_failed" in case.events()
    assert "taken_back" == case.events()[-1]
    case.succeeds()


def test_a_balancer_that_stays_away(case: Case) -> None:
    """It is said that the traffic is not back; the move stays in flight, and the same command goes on from there."""
    project = case.project
    case.settings(soak="1s", back_within="2s")
    down, weights, kept = (project.directory / name for name in ("down", "weights", "kept"))
    with when(lambda: project.weights() == "blue=75 green=25", lambda: (down.touch(), weights.rename(kept))):
        said = project.ec("advance", CHANGE, "--release", "v2", expect=TRAFFIC)
    assert "going back to blue 100 %, green 0 % failed too" in said
    assert "expanded" == project.phase()
    assert "shift_failed" == case.events()[-1]
    assert "EC108" in project.ec("advance", CHANGE, expect=2)
    down.unlink()
    kept.rename(weights)
    case.succeeds()
    assert "blue=0 green=100" == project.weights()


def test_a_balancer_that_is_away_from_the_beginning(case: Case) -> None:
    """Nothing is begun, nothing deployed."""
    (case.project.directory / "weights").rename(case.project.directory / "kept")
    said = case.fails(expect=2)
    assert "nothing was begun" in said
    assert not (case.project.directory / "green.version").exists()
    (case.project.directory / "kept").rename(case.project.directory / "weights")
    case.succeeds()
