"""Traffic that somebody else moved: reported by whatever looks, in the way of every move, put back or accepted."""

from __future__ import annotations

import pytest

from tests.fix_project import CHANGE, Project

pytestmark = pytest.mark.slow
REFUSED = 3
BLUE, GREEN = "blue=100 green=0\n", "blue=0 green=100\n"


def by_hand(project: Project, weights: str) -> None:
    """Somebody else's write."""
    (project.directory / "weights").write_text(weights, encoding="utf-8")


def contracted(project: Project) -> None:
    """Blue has v3 and the traffic, green v2, which does not fit any more."""
    project.to("cut_over")
    project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    project.ec("advance", CHANGE)
    assert "contracted" == project.phase()


def window(project: Project) -> tuple[object, ...]:
    """When the rollback window opened, and how often it did."""
    opened = project.sql("SELECT window_opened_at FROM expandcontract.change")[0][0]
    times = project.sql("SELECT count(*) FROM expandcontract.journal WHERE event = 'window_opened'")[0][0]
    return opened, times


@pytest.mark.parametrize("asked", [("status",), ("plan", CHANGE), ("gate", CHANGE, "expand"), ("advance", CHANGE)])
def test_whatever_looks_reports_it(project: Project, asked: tuple[str, ...]) -> None:
    """Status and plan tell it, the gate and the move are closed by it; both ways out are named."""
    project.ec("deploy", "green", "v1b")
    by_hand(project, "blue=60 green=40\n")
    said = project.ec(*asked, expect=0 if asked[0] in {"status", "plan"} else REFUSED)
    assert "EC312" in said
    assert "the balancer gives blue 60 %, green 40 %, the ledger last read blue 100 %, green 0 %" in said
    assert "ec switch blue, or ec switch --adopt" in said
    assert "planned" == str(project.document("status")["changes"][0]["phase"])  # type: ignore[index]


def test_put_back(project: Project) -> None:
    """The first way: the balancer is given what the ledger has, and the move goes on."""
    by_hand(project, "blue=60 green=40\n")
    project.ec("switch", "blue")
    assert "blue=100 green=0" == project.weights()
    project.ec("advance", CHANGE)


def test_adopted(project: Project) -> None:
    """The second way: the ledger takes over what the balancer reads, and writes nothing to the balancer."""
    project.ec("deploy", "green", "v1b")
    by_hand(project, "blue=60 green=40\n")
    said = project.ec("switch", "--adopt")
    assert "the ledger has blue 60 %, green 40 % now" in said
    assert "blue=60 green=40" == project.weights()
    detail = project.sql("SELECT detail FROM expandcontract.journal WHERE event = 'traffic_adopted'")[0][0]
    recorded, found = {"blue": 100, "green": 0}, {"blue": 60, "green": 40}
    assert {"recorded": recorded, "found": found} == detail
    assert None is project.document("status")["traffic"]["drift"]  # type: ignore[index]
    project.ec("advance", CHANGE)
    assert "as the ledger has it" in project.ec("switch", "--adopt")


def test_a_color_without_a_release_is_not_adopted(project: Project) -> None:
    """Nobody knows what answers there, so only the way back is offered."""
    by_hand(project, GREEN)
    said = project.ec("gate", CHANGE, "expand", expect=REFUSED)
    assert "no release is recorded on green" in said
    assert "--adopt" not in said
    assert "next: ec switch blue" in project.ec("switch", "--adopt", expect=REFUSED)


def test_a_move_in_flight_is_not_adopted(project: Project) -> None:
    """A move that was broken off goes on from what the balancer reads; there is nothing to accept."""
    project.ec("advance", CHANGE)
    project.sql("UPDATE expandcontract.change SET move = 'dual-write', move_since = now(), move_arguments = '{}'")
    said = project.ec("switch", "--adopt", expect=REFUSED)
    assert "dual-write" in said
    assert f"ec advance {CHANGE}, or ec rollback {CHANGE}" in said


@pytest.mark.parametrize("asked", [("status",), ("plan", CHANGE), ("gate", CHANGE, "contract"), ("advance", CHANGE)])
def test_reset_by_hand_after_contract(project: Project, asked: tuple[str, ...]) -> None:
    """After contract the old color does not fit: every look says so and names the one way out."""
    contracted(project)
    by_hand(project, GREEN)
    said = project.ec(*asked, expect=0 if asked[0] in {"status", "plan"} else REFUSED)
    assert "EC312" in said
    assert "v2 on green does not fit" in said
    assert "ec switch blue" in said
    assert "--adopt" not in said


def test_no_command_makes_it_worse_after_contract(project: Project, colors: object) -> None:
    """What does not fit is neither adopted nor given more; putting back is one write that no failure undoes."""
    contracted(project)
    by_hand(project, "blue=40 green=60\n")
    assert "cannot be accepted: v2 on green does not fit" in project.ec("switch", "--adopt", expect=REFUSED)
    assert "v2 on green does not fit" in project.ec("switch", "green", expect=REFUSED)
    assert "blue=40 green=60" == project.weights()
    colors[0].status(503)  # type: ignore[index]
    said = project.ec("switch", "blue", expect=5)
    assert "all the traffic goes to blue at once" in said
    assert "blue=100 green=0" == project.weights()
    colors[0].status(200)  # type: ignore[index]
    project.ec("switch", "blue")
    intents = project.sql("SELECT detail->>'green' FROM expandcontract.journal WHERE event = 'traffic_intent'")
    assert {("0",)} == set(intents[-2:])
    assert None is project.document("status")["traffic"]["drift"]  # type: ignore[index]


def test_rolled_back_by_hand_and_adopted(project: Project) -> None:
    """At night somebody gave the traffic to the earlier release: adopted, the window waits, and a roll-back follows."""
    project.to("cut_over")
    by_hand(project, GREEN)
    said = project.ec("switch", "--adopt")
    assert f"the rollback window of {CHANGE} starts anew once every release with traffic speaks new" in said
    assert f"{CHANGE} is cut_over, and v2 on green, which speaks dual, gets traffic" in said
    assert (None, 1) == window(project)
    assert "has not opened" in project.ec("gate", CHANGE, "contract", expect=REFUSED)
    project.ec("rollback", CHANGE)
    assert "backfilled" == project.phase()
    assert "blue=0 green=100" == project.weights()


def test_adopted_and_put_back_starts_the_window_anew(project: Project) -> None:
    """The window counts from the last moment at which the earlier release could serve."""
    project.to("cut_over")
    opened, _ = window(project)
    by_hand(project, GREEN)
    project.ec("switch", "--adopt")
    said = project.ec("switch", "blue")
    assert f"the rollback window of {CHANGE} starts anew" in said
    again, times = window(project)
    assert again > opened  # type: ignore[operator]
    assert 2 == times


def test_adopted_back_to_the_new_release(project: Project) -> None:
    """Where the earlier release served until somebody took the traffic away by hand, adoption starts the window."""
    project.to("cut_over")
    by_hand(project, "blue=50 green=50\n")
    project.ec("switch", "--adopt")
    by_hand(project, BLUE)
    assert f"the rollback window of {CHANGE} starts anew" in project.ec("switch", "--adopt")
    opened, times = window(project)
    assert opened is not None
    assert 2 == times
