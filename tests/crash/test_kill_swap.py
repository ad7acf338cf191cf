"""``ec`` killed with SIGKILL around a swap: the names, the phase and the window are what they were, or all are new."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.core.phase import Phase
from tests.acceptance.test_together import wait_until
from tests.fix_swap import CHANGE, Kept, clients
from tests.sessions import ours

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from tests.compat.drive import Drive
    from tests.fix_project import Project

pytestmark = pytest.mark.slow
WAITING = f"SELECT 1 {ours()} AND wait_event_type = 'Lock' AND query ~ '{{query}}'"
INSIDE = WAITING.format(query="expandcontract.swap")
OUTSIDE = "SELECT 1 FROM expandcontract.change WHERE move IS NOT NULL"  # begun, and looking who is in the way
VERBS = {Phase.BACKFILLED: "advance", Phase.CUT_OVER: "rollback"}
AFTER = {Phase.BACKFILLED: Phase.CUT_OVER, Phase.CUT_OVER: Phase.BACKFILLED}


def _state(project: Project) -> tuple[object, ...]:
    """Phase, whether the window runs, whether the triggers think the names traded, and whether they are."""
    query = f"""SELECT c.phase, c.window_opened_at IS NOT NULL, expandcontract.names_are_traded(c.name),
        (SELECT atttypid = 'bigint'::regtype FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'id'),
        (SELECT atttypid = 'bigint'::regtype FROM pg_attribute
         WHERE attrelid = 'orders'::regclass AND attname = 'user_id')
        FROM expandcontract.change AS c WHERE c.name = '{CHANGE}'"""
    return project.sql(query)[0]


def _whole(phase: Phase) -> tuple[object, ...]:
    traded = phase is Phase.CUT_OVER
    return (phase, traded, traded, traded, traded)


@contextmanager
def _held(project: Project, statement: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(project.database) as connection:
        connection.execute(statement)
        yield connection


@contextmanager
def _begun(project: Project, verb: str) -> Iterator[subprocess.Popen[str]]:
    """A mover, killed at the end at the latest."""
    process = project.begin(verb, CHANGE)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _kill_outside(project: Project, verb: str) -> None:
    """While it waits for its first lock."""
    with _held(project, "LOCK TABLE orders IN ROW SHARE MODE"), _begun(project, verb):
        wait_until(lambda: project.sql(OUTSIDE))


def _kill_inside(project: Project, verb: str) -> None:
    """With the names traded and nothing committed: it waits to write the journal."""
    with _held(project, "LOCK TABLE orders IN ROW SHARE MODE") as first, _begun(project, verb) as process:
        wait_until(lambda: project.sql(OUTSIDE))
        with _held(project, "SELECT * FROM expandcontract.journal_head FOR UPDATE"):
            first.rollback()
            wait_until(lambda: project.sql(INSIDE))
            process.kill()
            process.wait()


KILLS = {"outside": _kill_outside, "inside": _kill_inside}


def _gone(project: Project) -> bool:
    return not project.sql(f"SELECT 1 {ours()} AND state <> 'idle'")


def _begin(widening: Drive, start: Phase) -> None:
    widening.forward(until=start)
    assert start is widening.state().phase


def _end(project: Project, kept: Kept) -> None:
    assert [] == kept.errors
    assert kept.orders
    assert [] == kept.lost(project)
    assert [] == project.sql("SELECT * FROM expandcontract.integrity()")
    assert [(0,)] == project.sql("SELECT count(*) FROM users WHERE id_beside::bigint IS DISTINCT FROM id::bigint")
    project.ec("history", "--verify")


@pytest.mark.parametrize("start", VERBS)
@pytest.mark.parametrize("kill", KILLS)
def test_killed_before_the_commit(widening: Drive, start: Phase, kill: str) -> None:
    """All is as it was; the same command ends as an undisturbed one; no acknowledged write is lost and none fails."""
    project = widening.project
    _begin(widening, start)
    with clients(project) as kept:
        KILLS[kill](project, VERBS[start])
        wait_until(lambda: _gone(project))
        assert _whole(start) == _state(project)
        project.ec(VERBS[start], CHANGE)
    assert _whole(AFTER[start]) == _state(project)
    _end(project, kept)


def test_killed_and_taken_back(widening: Drive) -> None:
    """A cut-over killed with the names traded is taken back to where it began, and can be made again."""
    project = widening.project
    _begin(widening, Phase.BACKFILLED)
    before = widening.dump()
    with clients(project) as kept:
        _kill_inside(project, "advance")
        wait_until(lambda: _gone(project))
        project.ec("rollback", CHANGE)
        assert _whole(Phase.BACKFILLED) == _state(project)
        assert before == widening.dump()
        project.ec("advance", CHANGE)
    assert _whole(Phase.CUT_OVER) == _state(project)
    _end(project, kept)


@pytest.mark.parametrize("start", VERBS)
def test_killed_at_any_moment(widening: Drive, start: Phase) -> None:
    """Killed as soon as its statement is seen, whichever it is: before or after, and nothing between."""
    project = widening.project
    _begin(widening, start)
    with clients(project) as kept:
        for pattern in ("LOCK TABLE", "trade_columns", "expandcontract.swap", "COMMIT"):
            if _state(project) != _whole(start):
                break
            process = project.begin(VERBS[start], CHANGE)
            seen = f"SELECT 1 {ours()} AND query ~ '{pattern}'"
            wait_until(lambda seen=seen, process=process: project.sql(seen) or process.poll() is not None)  # type: ignore[misc]
            process.kill()
            process.communicate()
            wait_until(lambda: _gone(project))
            assert _state(project) in (_whole(start), _whole(AFTER[start]))
        if _state(project) == _whole(start):
            project.ec(VERBS[start], CHANGE)
    assert _whole(AFTER[start]) == _state(project)
    _end(project, kept)
