"""``ec rollback --dry-run`` tells what ``ec rollback`` then does, and changes nothing."""

from __future__ import annotations

from typing import Any

from tests.fix_project import CHANGE, Project

REFUSED = 3
STATE = """SELECT (SELECT jsonb_agg(c ORDER BY c.name) FROM expandcontract.change AS c), count(*),
    (SELECT jsonb_agg(t) FROM expandcontract.traffic AS t) FROM expandcontract.journal"""


def foretold(project: Project, *arguments: str, expect: int = 0) -> dict[str, Any]:
    """The document; neither ledger nor balancer are touched."""
    before = project.sql(STATE), project.weights()
    found: dict[str, Any] = project.document("rollback", *arguments, "--dry-run", expect=expect)
    assert before == (project.sql(STATE), project.weights())
    return found


def test_where_the_earlier_release_is_still_there(project: Project) -> None:
    """From cut-over the traffic goes to the other color, by the stages asked for; nothing is deployed."""
    project.to("cut_over")
    found = foretold(project, CHANGE, "--steps", "50,100")
    way = {"now": {"blue": 100, "green": 0}, "to": "green", "version": "v2", "steps": [50, 100]}
    assert way == found["traffic"]
    assert [{"name": CHANGE, "from": "cut_over", "to": "backfilled"}] == found["changes"]
    assert (None, [], True) == (found["deploys"], found["others"], found["open"])
    said = project.ec("rollback", CHANGE, "--dry-run")
    assert "traffic: blue 100 %, green 0 %; all of it to green with v2, at once" in said
    project.ec(*found["next"].split()[1:])
    assert "backfilled" == project.phase()
    steps = project.sql("SELECT detail->>'green' FROM expandcontract.journal WHERE event = 'traffic_intent'")
    assert [("50",), ("100",)] == steps[-2:]


def test_where_it_has_to_be_deployed_again(project: Project) -> None:
    """v2's color was deployed over: the line says what comes first, and over what."""
    project.to("cut_over")
    project.ec("deploy", "green", "v3")
    found = foretold(project, CHANGE)
    assert {"color": "green", "version": "v2", "over": "v3"} == found["deploys"]
    assert "deployed first: v2 on green, over v3" in project.ec("rollback", CHANGE, "--dry-run")


def test_with_others_that_must_be_named(project: Project) -> None:
    """A change that the same shift would take back is named, and the exit code is 3."""
    other = "users_nick_to_handle"
    project.ec("new", "rename-column", "users", "nick", "handle")
    for change in (CHANGE, other):
        project.ec("advance", change)
    project.ec("advance", CHANGE, other, "--release", "v2")
    found = foretold(project, CHANGE, expect=REFUSED)
    assert ([other], False) == (found["others"], found["open"])
    assert f"must be named: {other}" in project.ec("rollback", CHANGE, "--dry-run", expect=REFUSED)
    assert foretold(project, CHANGE, other)["open"]


def test_what_a_lossy_mapping_would_lose(bare: Project) -> None:
    """The rows on which the new column tells more are counted and the first are named."""
    change = "users_visits_exact"
    values = ("--using", "visits::numeric", "--reverse", "round(visits_exact)::integer", "--lossy")
    bare.ec("new", "change-type", "users", "visits", "numeric", "--to", "visits_exact", *values, "--name", change)
    for arguments in ((), ("--release", "v2"), (), ("--release", "v3")):
        bare.ec("advance", change, *arguments)
    bare.sql("UPDATE users SET visits_exact = 1.5 WHERE id = 7")
    (note,) = foretold(bare, change)["lost"]
    assert 1 == note["lost"]
    assert ["users id=7"] == note["rows"]
    assert "1 rows of users.visits_exact tell more" in bare.ec("rollback", change, "--dry-run")


def test_where_nothing_leads_back(project: Project) -> None:
    """A change that is only planned stays where it is; the gate says so, as it does to the roll-back itself."""
    found = foretold(project, CHANGE, expect=REFUSED)
    assert [{"name": CHANGE, "from": "planned", "to": None}] == found["changes"]
    assert "EC309" == next(gate["code"] for gate in found["judgements"][0]["gates"] if gate["state"] == "closed")


def test_a_move_left_in_flight(project: Project) -> None:
    """It would be taken back to where it began."""
    project.ec("advance", CHANGE)
    project.sql("UPDATE expandcontract.change SET move = 'dual-write', move_since = now(), move_arguments = '{}'")
    found = foretold(project, CHANGE)
    assert [{"name": CHANGE, "from": "dual-write in flight", "to": "expanded"}] == found["changes"]
