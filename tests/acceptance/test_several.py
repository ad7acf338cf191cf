"""Several changes in one command: one deploy, one shift, each its own move; and back together, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.test_together import OTHER, wait_until
from tests.fix_project import CHANGE, Inside, Project

if TYPE_CHECKING:
    from tests.fix_project import Answer

pytestmark = pytest.mark.slow

USAGE, REFUSED, BUSY, UNHEALTHY = 2, 3, 4, 5
BOTH = (CHANGE, OTHER)
EVENTS = "SELECT event, change, detail FROM expandcontract.journal ORDER BY seq"


@pytest.fixture
def empty(empty: Project) -> Inside:
    """The empty project, its ``ec`` in this process."""
    return Inside(empty.directory, empty.database)


@pytest.fixture
def apart(project: Project) -> Project:
    """One change backfilled with v2 live on green, the other one expanded."""
    project.ec("new", "rename-column", "users", "nick", "handle")
    said = project.ec("advance", "--all")
    assert said.index(f"{CHANGE} is expanded") < said.index(f"{OTHER} is expanded")
    project.ec("advance", CHANGE, "--release", "v2")
    project.ec("advance", CHANGE)
    return project


def _phases(project: Project) -> tuple[str, str]:
    return project.phase(), project.phase(OTHER)


def _count(project: Project, event: str) -> int:
    return [found[0] for found in project.sql(EVENTS)].count(event)


def _moved_as_one(project: Project) -> bool:
    return [(1,)] == project.sql("SELECT count(DISTINCT xmin::text) FROM expandcontract.change")


def test_one_shift_there_and_back(apart: Project) -> None:
    """A cut-over and a dual-write are one deploy, one shift and one transaction; none goes back without the other."""
    before = _count(apart, "deployed"), _count(apart, "traffic_intent")
    apart.ec("advance", *BOTH, "--release", "v3", "--steps", "50,100")
    assert ("cut_over", "dual_writing") == _phases(apart)
    assert (before[0] + 1, before[1] + 2) == (_count(apart, "deployed"), _count(apart, "traffic_intent"))
    assert _moved_as_one(apart)
    assert [({CHANGE: "new", OTHER: "dual"},)] == apart.sql(
        "SELECT speaks FROM expandcontract.release WHERE version = 'v3'"
    )
    for one, other in (BOTH, BOTH[::-1]):
        said = apart.ec("rollback", one, expect=REFUSED)
        assert f"release v2 live would make untrue what is true of {other}" in said
        assert f"next: ec rollback {one} {other}" in said
    said = apart.ec("switch", "green", expect=REFUSED)
    assert (
        f"with v2 on green live, {CHANGE} would no longer be cut_over, {OTHER} would no longer be dual_writing" in said
    )
    assert f"next: ec rollback {CHANGE} {OTHER}" in said
    apart.ec("rollback", *BOTH)
    assert (("backfilled", "expanded"), "blue=0 green=100") == (_phases(apart), apart.weights())
    assert _moved_as_one(apart)
    apart.ec("advance", *BOTH, "--release", "v3")
    assert ("cut_over", "dual_writing") == _phases(apart)


def test_moves_that_are_not_one(apart: Project) -> None:
    """A backfill and a shift are two commands; every named change must be able to move, or none does."""
    apart.ec("advance", OTHER, "--by", "database")
    said = apart.ec("advance", *BOTH, "--release", "v3", expect=USAGE)
    assert f"these moves are not made as one: {CHANGE} wants cut-over, {OTHER} wants backfill" in said
    said = apart.ec("advance", *BOTH, "--to", "cut_over", expect=USAGE)
    assert f"--to takes changes that stand together: {CHANGE} is backfilled, {OTHER} is dual_writing" in said
    apart.ec("rollback", OTHER)
    said = apart.ec("advance", *BOTH, "--release", "v3", "--speaks", f"{OTHER}=old", expect=REFUSED)
    assert f"release v3 speaks old of {OTHER}, this move wants one that speaks dual" in said
    assert (("backfilled", "expanded"), "blue=0 green=100") == (_phases(apart), apart.weights())
    assert [] == apart.sql("SELECT name FROM expandcontract.change WHERE move IS NOT NULL")


def test_one_that_went_further_goes_back_first(apart: Project) -> None:
    """Named along it would still not fit the release; the refusal names it alone."""
    apart.ec("advance", *BOTH, "--release", "v3")
    apart.ec("advance", OTHER)
    for names in ((CHANGE,), BOTH):
        said = apart.ec("rollback", *names, expect=REFUSED)
        assert f"release v2 live would make untrue what is true of {OTHER}" in said
        assert f"next: ec rollback {OTHER}\n" in said
    apart.ec("rollback", OTHER)
    apart.ec("rollback", *BOTH)
    assert (("backfilled", "expanded"), "blue=0 green=100") == (_phases(apart), apart.weights())


def test_two_shifts_go_back_as_one(apart: Project) -> None:
    """Shifted one after the other they go back, named together, to what was live before both."""
    apart.ec("advance", CHANGE, "--release", "v3")
    apart.ec("advance", OTHER, "--release", "v4", "--speaks", f"{CHANGE}=new")
    said = apart.ec("rollback", CHANGE, expect=REFUSED)
    assert f"next: ec rollback {CHANGE} {OTHER}" in said
    apart.ec("rollback", OTHER, CHANGE)
    assert (("backfilled", "expanded"), "blue=100 green=0") == (_phases(apart), apart.weights())
    assert [("v2",)] == apart.sql("SELECT version FROM expandcontract.release WHERE color = 'blue'")


def test_all_without_a_release(project: Project) -> None:
    """Each makes one move in the order of the chain, and of the others is said why not and what to type."""
    project.ec("new", "rename-column", "users", "nick", "handle")
    project.ec("advance", CHANGE)
    project.ec("advance", CHANGE, "--by", "database")
    said = project.ec("advance", "--all")
    assert said.index(f"{OTHER} is expanded") < said.index(f"{CHANGE} is backfilled")
    said = project.ec("advance", "--all", expect=REFUSED)
    for name, phase, move in ((CHANGE, "backfilled", "cut-over"), (OTHER, "expanded", "dual-write")):
        assert f"{name} stays {phase}, {move} is refused: EC330 release-chosen is closed" in said
    found = project.document("advance", "--all", "--by", "database")
    assert f"{OTHER} is dual_writing" in [event["text"] for event in found["events"]]  # type: ignore[index, attr-defined]
    assert ("backfilled", "dual_writing") == _phases(project)


def test_all_with_a_release(apart: Project) -> None:
    """Who is not ready is left out with the reason; what the release speaks is said where no record says it."""
    apart.sql("SET expandcontract.backfill = 'on'; UPDATE users SET display_name = 'other' WHERE id = 1")
    said = apart.ec("advance", "--all", "--release", "v3", expect=REFUSED)
    assert f"{CHANGE} stays backfilled, cut-over is refused: EC341 parity is closed: 1 rows differ" in said
    assert f"release v3 live would make untrue what is true of {CHANGE}" in said
    assert ("backfilled", "expanded") == _phases(apart)
    said = apart.ec("advance", "--all", "--release", "v3", "--speaks", f"{CHANGE}=dual")
    assert f"v3 is taken to speak dual of {OTHER}" in said
    assert "EC330 release-chosen is closed: release v3 speaks dual" in said
    assert ("backfilled", "dual_writing") == _phases(apart)
    apart.ec("verify", CHANGE)
    said = apart.ec("advance", "--all", "--release", "v4", expect=REFUSED)
    assert f"release v4 live would make untrue what is true of {OTHER}" in said
    assert f"next: ec advance {CHANGE} --release v4 --speaks {OTHER}=dual" in said
    said = apart.ec("advance", "--all", "--release", "v4", "--speaks", f"{OTHER}=dual")
    assert f"v4 is taken to speak new of {CHANGE}" in said
    assert ("cut_over", "dual_writing") == _phases(apart)


def test_a_change_that_does_not_fit_holds_the_shift(apart: Project) -> None:
    """By name, with what to say of it; nothing is deployed and nobody moves."""
    before = _count(apart, "deployed")
    apart.ec("advance", OTHER, "--by", "database")
    apart.ec("new", "rename-column", "users", "visits", "views")
    third = "users_visits_to_views"
    apart.ec("advance", third)
    said = apart.ec("advance", "--all", "--release", "v3", "--speaks", f"{OTHER}=new", expect=REFUSED)
    for name in (CHANGE, third):
        assert f"{name} stays" in said
    assert (
        f"release v3 does not fit: {OTHER} is dual_writing, which wants old or dual, and the release speaks new" in said
    )
    assert (before, "backfilled", "expanded") == (_count(apart, "deployed"), apart.phase(), apart.phase(third))
    apart.ec("advance", "--all", "--release", "v3", "--speaks", f"{OTHER}=old")
    assert ("cut_over", "dual_writing") == (apart.phase(), apart.phase(third))


def test_a_recorded_version_keeps_to_its_record(apart: Project) -> None:
    """What was deployed with --speaks is not taken to speak of anything else, until it is said."""
    apart.ec("deploy", "blue", "v3", "--speaks", f"{CHANGE}=new")
    said = apart.ec("advance", "--all", "--release", "v3")
    assert f"{OTHER} stays expanded, dual-write is refused: EC330" in said
    assert "is taken to speak" not in said
    assert ("cut_over", "expanded") == _phases(apart)


def test_an_unhealthy_release_leaves_all_where_they_were(apart: Project, colors: tuple[Answer, Answer]) -> None:
    """The traffic is back, no change is in flight, and the second time all of them go."""
    colors[0].status(503)
    apart.ec("advance", *BOTH, "--release", "v3", expect=UNHEALTHY)
    assert (("backfilled", "expanded"), "blue=0 green=100") == (_phases(apart), apart.weights())
    assert [] == apart.sql("SELECT name FROM expandcontract.change WHERE move IS NOT NULL")
    colors[0].status(200)
    apart.ec("advance", *BOTH, "--release", "v3")
    assert ("cut_over", "dual_writing") == _phases(apart)


def test_two_clients(apart: Project, colors: tuple[Answer, Answer]) -> None:
    """While one shifts both changes the other client gets exit 4, and the shift comes to its end."""
    apart.settings(colors, soak="2s")
    first = apart.begin("advance", "--all", "--release", "v3", "--steps", "50,100")
    wait_until(lambda: apart.weights() == "blue=50 green=50")
    for command in (("advance", CHANGE), ("rollback", OTHER), ("advance", "--all")):
        assert f"process {first.pid} of" in apart.ec(*command, expect=BUSY)
    first.communicate(timeout=60)
    assert (0, ("cut_over", "dual_writing")) == (first.returncode, _phases(apart))
