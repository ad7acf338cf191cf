"""How a backfill goes is told as JSON lines, in ``ec status`` and, kept, by ``ec backfill CHANGE history``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.acceptance.test_steered import SLOW
from tests.acceptance.test_together import wait_until
from tests.fix_project import CHANGE

if TYPE_CHECKING:
    from tests.fix_project import Project

REFUSED = 3


def _lines(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines()]


def test_told_as_json_lines_kept_and_gone_with_the_expand(project: Project) -> None:
    """A document a line and the status at last; the samples stay through roll-backs until the expand is reverted."""
    project.ec("advance", CHANGE)
    project.ec("advance", CHANGE, "--by", "database")
    *events, last = _lines(project.ec("backfill", CHANGE, "--json-lines"))
    assert ("began", "finished") == (events[0]["kind"], events[-1]["kind"])
    filling = [event["data"] for event in events if event["kind"] == "progress" and "rate" in event["data"]]
    assert (5000, filling[-1]["total"]) == (filling[-1]["rows"], filling[-1]["done"])
    assert {"hot_share", "heap_bytes", "heap_growth", "workers", "waiting"} <= filling[-1].keys()
    assert "backfilled" == last["status"]["changes"][0]["phase"]
    kept = project.document("backfill", CHANGE, "history")["samples"]
    assert (1.0, 5000, "public.users") == (kept[-1]["share"], kept[-1]["rows"], kept[-1]["table"])  # type: ignore[index]
    assert "100%   5,000" in project.ec("backfill", CHANGE, "history")
    project.ec("rollback", CHANGE)
    assert kept == project.document("backfill", CHANGE, "history")["samples"]
    project.ec("rollback", CHANGE)
    project.ec("rollback", CHANGE)
    assert "planned" == project.phase()
    assert f"nothing is kept of a backfill of {CHANGE}" in project.ec("backfill", CHANGE, "history")


def test_an_error_is_a_line_too(project: Project) -> None:
    """Whoever reads lines reads the refusal the same way; one document and many at once is wrong usage."""
    (error,) = _lines(project.ec("backfill", CHANGE, "--json-lines", expect=REFUSED))
    assert "EC301" == error["error"]["code"]
    assert "--json is one document" in project.ec("advance", CHANGE, "--json", "--json-lines", expect=2)
    assert [] == project.sql("SELECT 1 FROM expandcontract.change")


def test_status_says_how_far_it_is_and_who_works(project: Project) -> None:
    """While it runs: share, rows and heap of the last second, and each worker by name."""
    project.to("dual_writing")
    project.sql(SLOW)
    running = project.begin("backfill", CHANGE, "--workers", "1")
    try:
        at_work = "SELECT 1 FROM expandcontract.segment WHERE worker IS NOT NULL AND rows_filled > 0"
        wait_until(lambda: project.sql(at_work) and project.sql("SELECT 1 FROM expandcontract.progress"))
        said = project.ec("status", CHANGE)
        found = project.document("status", CHANGE)["changes"][0]["backfill"]  # type: ignore[index]
        project.sql("DROP TRIGGER dawdle ON expandcontract.segment")
        running.communicate(timeout=60)
    finally:
        running.kill()
        running.wait()
    assert "public.users is filled to " in said
    assert "heap x1." in said
    assert f":{running.pid}:0" in said
    assert 0 <= found["progress"]["share"] < 1
    assert [1] == list(found["working"].values())
