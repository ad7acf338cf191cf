"""A backfill that runs in one process is steered by others, as the guide tells it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from tests.acceptance.test_repository import _blocks
from tests.acceptance.test_together import wait_until
from tests.fix_project import CHANGE

if TYPE_CHECKING:
    from tests.fix_project import Project

SLOW = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.done_at IS NULL THEN PERFORM pg_sleep(0.2); END IF; RETURN NULL; END $$;
CREATE TRIGGER dawdle AFTER UPDATE ON expandcontract.segment FOR EACH ROW EXECUTE FUNCTION dawdle();
"""
CURSOR = "SELECT sum(rows_filled), sum(cursor_page), sum(cursor_stripe) FROM expandcontract.segment"
REFUSED = 3


def _change(project: Project) -> dict[str, Any]:
    (found,) = project.document("status", CHANGE)["changes"]  # type: ignore[misc]
    return dict(found)


def test_steered_as_the_guide_tells_it(project: Project) -> None:
    """Paused it says so to everybody and fills nothing; set and resumed it comes to its end; the journal has it all."""
    pause, status, pace, resume = _blocks("how-to/steer-a-backfill.md")
    project.to("dual_writing")
    (line,) = pause
    refused = project.ec(*shlex.split(line)[1:], expect=REFUSED)
    assert f"{CHANGE} is dual_writing, and no backfill of it fills rows; there is nothing to pause" in refused
    project.sql(SLOW)
    running = project.begin("backfill", CHANGE, "--workers", "1")
    try:
        wait_until(lambda: project.sql("SELECT 1 FROM expandcontract.backfill"))
        said = project.ec(*shlex.split(line)[1:])
        assert "paused by" in said
        assert ": the sale begins at eight" in said
        wait_until(lambda: not project.sql("SELECT 1 FROM expandcontract.segment WHERE worker IS NOT NULL"))
        before = project.sql(CURSOR)
        (line,) = status
        said = project.ec(*shlex.split(line)[1:])
        assert f"to go on: ec backfill {CHANGE} resume" in said
        (line,) = pace
        assert "set while it runs: workers in each process: 1; batches of 50ms" in project.ec(*shlex.split(line)[1:])
        found = _change(project)["backfill"]
        assert (1, "50ms", "the sale begins at eight") == (found["workers"], found["target"], found["paused"]["why"])
        assert before == project.sql(CURSOR)
        project.sql("DROP TRIGGER dawdle ON expandcontract.segment")
        (line,) = resume
        project.ec(*shlex.split(line)[1:])
        told, _ = running.communicate(timeout=60)
    finally:
        running.kill()
        running.wait()
    assert 0 == running.returncode, told
    assert "… waiting: paused by" in told
    assert "· going on after" in told
    assert project.phase() == "backfilled"
    events = [row[0] for row in project.sql("SELECT event FROM expandcontract.journal WHERE event LIKE 'backfill%'")]
    assert ["backfill_pause", "backfill_set_pace", "backfill_resume"] == events
