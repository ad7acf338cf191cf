"""What goes wrong with a release: the traffic is back within a stage, and the journal tells why.

Each failure ends the same way: exit 5, all the traffic on the old color, nothing in flight, and once the cause is
mended the same command again leads on.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.color import Weights
from expandcontract.pg.server import free_port
from expandcontract.traffic.switch import standing
from tests.failing import ERRORS, REFUSED, Case, seconds
from tests.fix_project import CHANGE
from tests.services import Service, Users, when
from tests.switches.haproxy import HAProxyRig

if TYPE_CHECKING:
    from tests.switches.rig import ProcessRig

pytestmark = pytest.mark.slow


def test_the_smoke_test_fails(case: Case) -> None:
    """No traffic is given; the last lines are told, without the password in them, and what it left is ended."""
    command = (
        "echo trying; echo ok of {color} {version} at $EC_URL; test ! -e broken || exit 3; test {version} = $EC_VERSION"
    )
    leak = "test ! -e broken || echo see postgresql://app:s3cr3t@db/shop >&2; "
    case.settings(f"[smoke]\ncommand = {json.dumps(['sh', '-c', leak + command])}\n")
    (case.project.directory / "broken").touch()
    said = case.fails()
    assert "EC503" in said
    assert "s3cr3t" not in said
    assert "see postgresql://app:***@db/shop | trying | ok of green v2 at http://127.0.0.1:" in said
    assert "blue=100 green=0" == case.project.weights()
    assert ["began", "deploy_intent", "deployed", "smoke_failed", "taken_back"] == case.events()
    assert "smoke_failed" in case.project.ec("history", CHANGE)
    assert "it ended with 3" in case.told("smoke_failed")["why"]
    assert case.told("taken_back")["why"].startswith("EC503 the smoke test of v2 on green failed")
    (case.project.directory / "broken").unlink()
    case.succeeds()


def test_a_smoke_test_that_hangs(case: Case) -> None:
    """It is ended with all that it started, and that counts as failed."""
    hang = json.dumps(["sh", "-c", "sleep 600 & echo $! > pid; echo waiting; wait"])
    case.settings(f'[smoke]\ncommand = {hang}\ntimeout = "1s"\n')
    assert "it took longer than 1 s and was ended: waiting" in case.fails()
    pid = (case.project.directory / "pid").read_text(encoding="ascii").strip()
    time.sleep(0.1)
    assert _gone(pid)
    case.settings()
    case.succeeds()


def _gone(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_the_deployment_never_gets_ready(case: Case, green: Service) -> None:
    """No traffic is given, and the journal has the answer; once the color is ready the same command leads on."""
    green.ready = False
    said = case.fails()
    assert "v2 on green does not become ready: GET /ready: 503" in said
    assert "blue=100 green=0" == case.project.weights()
    assert ["began", "deploy_intent", "deployed", "not_ready", "taken_back"] == case.events()
    assert '503 {"ready": false' in case.told("not_ready")["why"]
    assert "ec deploy green v2" in case.project.ec("advance", CHANGE, "--release", "v2", expect=REFUSED)
    green.ready = True
    case.succeeds()


def test_a_deployment_that_has_to_be_made_again(case: Case, green: Service) -> None:
    """What is recorded and does not answer is deployed again, by the command that the refusal names."""
    green.ready = False
    case.fails()
    settings = case.project.directory / "expandcontract.toml"
    again = settings.read_text(encoding="utf-8").replace("echo {version}", "touch up; echo {version}")
    settings.write_text(again, encoding="utf-8")
    case.project.ec("advance", CHANGE, "--release", "v2", expect=REFUSED)
    with when((case.project.directory / "up").exists, lambda: setattr(green, "ready", True)):
        case.project.ec("deploy", "green", "v2")
    case.succeeds()


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ({"color": "blue"}, 'the answer is of color blue, not green: 200 {"ready": true'),
        ({"directory": "elsewhere"}, "the answer is of version v1, not v2"),
    ],
    ids=["another color", "another version"],
)
def test_somebody_else_answers(case: Case, green: Service, lie: dict[str, str], said: str) -> None:
    """A color whose address leads to the other one, or that still runs what it ran before, is not ready."""
    if "color" in lie:
        green.color = lie["color"]
    else:
        green.directory = case.project.directory / lie["directory"]
        green.directory.mkdir()
        (green.directory / "green.version").write_text("v1", encoding="utf-8")
    assert said in case.fails()
    assert "blue=100 green=0" == case.project.weights()
    green.color, green.directory = "green", case.project.directory
    case.succeeds()


@pytest.mark.parametrize("rig", [HAProxyRig], ids=["haproxy"], indirect=True)
def test_readiness_flaps_during_a_stage(case: Case, green: Service, rig: ProcessRig) -> None:
    """One answer of 503 while users are served there is seen, though the color is ready again before the soak ends."""
    case.settings(rig=rig, soak="6s")
    green.flaps = 1
    with Users(f"http://127.0.0.1:{rig.listen}/").asking() as users:
        said = case.fails()
    assert "green failed its check at 10 %" in said
    assert "GET /ready: 503" in said
    assert Weights(100, 0) == rig.switch().read()
    assert users.answered > 0
    assert 0 == users.failed
    assert ["traffic_intent", "traffic_read", "stage_failed", "traffic_intent", "traffic_read"] == case.events()[3:8]
    story = {entry["event"]: entry for entry in reversed(case.story())}
    assert seconds(story["traffic_read"], story["stage_failed"]) < 4
    assert 10 == case.told("stage_failed")["percent"]
    case.settings(rig=rig)
    case.succeeds()
    assert Weights(0, 100) == rig.switch().read()


def test_errors_rise_at_a_quarter(case: Case, green: Service, rig: ProcessRig) -> None:
    """The guard ends the stage of 25 % well before its soak; the journal has measured beside limit."""
    case.settings(ERRORS, rig=rig, soak="4s")
    with Users(f"http://127.0.0.1:{rig.listen}/").asking() as users:
        with when(lambda: standing(rig.switch()).green >= 25, lambda: setattr(green, "failing", True)):
            said = case.fails()
        green.failing = False
        assert "EC503" in said
        assert "green failed its check at 25 %" in said
        assert "errors of green is" in said
        assert Weights(100, 0) == rig.switch().read()
        story = case.story()
        stages = [entry for entry in story if entry["event"].startswith("stage_")]
        assert [(10, True), (25, False)] == [(entry["detail"]["percent"], entry["detail"]["ok"]) for entry in stages]
        (errors,) = stages[1]["detail"]["metrics"]
        assert errors["standing"] == "breach"
        assert errors["value"] > errors["limit"] >= 0.05
        written = [entry for entry in story if entry["event"] == "traffic_read" and entry["detail"]["green"] == 25]
        assert seconds(written[0], stages[1]) < 3
        assert 0 < users.failed < users.answered / 4
        time.sleep(2)  # what failed no longer counts
        case.succeeds()
    assert Weights(0, 100) == rig.switch().read()


@pytest.mark.parametrize("rig", [HAProxyRig], ids=["haproxy"], indirect=True)
def test_a_slow_release(case: Case, green: Service, rig: ProcessRig) -> None:
    """Latency is a figure like any other, here with a limit of its own."""
    slow = '[guard.metrics.slowest]\nsource = "http"\nurl = "{url}/stats"\nvalue = "/latency/max"\nlimit = 0.1\n'
    case.settings(slow, rig=rig, soak="3s")
    green.slow_s = 0.3
    with Users(f"http://127.0.0.1:{rig.listen}/").asking():
        assert "slowest of green is 0.3, limit 0.1" in case.fails()
        green.slow_s = 0
        time.sleep(2)
        case.succeeds()


def test_no_data_is_no_success(case: Case, green: Service) -> None:
    """A balancer that reads back what it was told and routes nothing: nobody asks green, so no stage is passed."""
    case.settings(
        ERRORS
        + '\n[guard.metrics.errors_of_all]\nsource = "http"\nurl = "{url}/stats"\nvalue = "/requests"\nlimit = 9\n'
    )
    settings = case.project.directory / "expandcontract.toml"
    text = settings.read_text(encoding="utf-8").replace(
        'interval = "200ms"', 'interval = "200ms"\nwait_for_data = "1s"'
    )
    settings.write_text(text, encoding="utf-8")
    said = case.fails()
    assert "the stage goes on for 1 s at most" in said
    assert "errors of green is not known" in said
    assert "without data a stage is not passed" in said
    assert "blue=100 green=0" == case.project.weights()
    stage = case.told("stage_failed")
    assert [("errors", "unknown"), ("errors_of_all", "within")] == [
        (m["metric"], m["standing"]) for m in stage["metrics"]
    ]
    case.settings()
    case.succeeds()


def test_a_source_that_cannot_be_asked(case: Case) -> None:
    """It is found before anything is given away: green gets nothing that nobody could watch."""
    case.settings(ERRORS.replace("{url}/stats", f"http://127.0.0.1:{free_port()}/stats"))
    said = case.fails()
    assert "guard.metrics.errors cannot be measured: http://127.0.0.1:" in said
    assert "traffic_intent" not in case.events()
    assert "does not answer" in case.told("shift_failed")["why"]
    case.settings()
    case.succeeds()


def test_figures_of_the_database(case: Case) -> None:
    """The guard's SQL is asked of each color; a breach at 25 % takes the traffic back."""
    project = case.project
    project.sql("CREATE TABLE seen (color text, bad numeric, of_all bigint)")
    project.sql("INSERT INTO seen VALUES ('blue', 0.01, 100), ('green', 0.01, 100)")
    query = "SELECT bad, of_all FROM seen WHERE color = '{color}'"
    case.settings(
        f'[guard.metrics.bad]\nsource = "sql"\nquery = "{query}"\nminimum = 50\nratio_to_live = 2\n', soak="3s"
    )
    with when(
        lambda: project.weights() == "blue=75 green=25",
        lambda: project.sql("UPDATE seen SET bad = 0.5 WHERE color = 'green'"),
    ):
        said = case.fails()
    assert "green failed its check at 25 %" in said
    assert "bad of green is 0.5, limit 0.02 (2 times 0.01 of blue)" in said
    assert "blue=100 green=0" == project.weights()
    project.sql("UPDATE seen SET bad = 0 WHERE color = 'green'")
    case.succeeds()
