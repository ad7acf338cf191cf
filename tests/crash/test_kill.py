"""``ec advance`` killed with SIGKILL in the middle of a move: resumed it ends as if nothing had been, or goes back."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.acceptance.test_together import wait_until
from tests.fix_project import CHANGE, Project
from tests.sessions import ours

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow
SCAN = "SELECT count(*) FROM users"
STATE = """SELECT phase, move, by_database, attached,
    (SELECT string_agg(indexrelid::regclass::text || indisvalid, ',' ORDER BY 1)
     FROM pg_index WHERE indrelid = 'users'::regclass),
    (SELECT string_agg(attname || attnotnull, ',' ORDER BY attname) FROM pg_attribute
     WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped)
FROM expandcontract.change"""


@contextmanager
def writers(project: Project, column: str) -> Iterator[dict[int, str]]:
    """Two sessions that write single rows all the time; every acknowledged write is kept."""
    kept: dict[int, str] = {}
    ending = threading.Event()

    def write(number: int) -> None:
        with psycopg.connect(project.database, autocommit=True) as connection:
            turn = 0
            while not ending.is_set():
                turn += 1
                key = 1 + (turn * 37 + number) % 2400 * 2 + number
                connection.execute(f"UPDATE users SET {column} = %s WHERE id = %s", (f"w{number}/{turn}", key))
                kept[key] = f"w{number}/{turn}"

    threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    yield kept
    ending.set()
    for thread in threads:
        thread.join()


@contextmanager
def obstacle(project: Project, statement: str) -> Iterator[None]:
    """Another session's open transaction that the move has to wait for."""
    with psycopg.connect(project.database) as connection:
        if statement != SCAN:
            connection.execute(statement)
            yield
            return
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        connection.execute(statement)
        # its snapshot is what the concurrent build waits for; beside one that sleeps none would begin
        query = threading.Thread(target=_busy, args=(connection,))
        query.start()
        try:
            yield
        finally:
            connection.cancel_safe()
            query.join()
            connection.rollback()


def _busy(connection: psycopg.Connection) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("SELECT pg_sleep(300)")


POINTS = {
    "expand": (
        "planned",
        (),
        "LOCK TABLE users IN ACCESS SHARE MODE",
        "SELECT 1 FROM expandcontract.change WHERE move = 'expand'",
    ),
    "backfill": (
        "dual_writing",
        (),
        "SELECT 1 FROM users WHERE id BETWEEN 2000 AND 2100 FOR UPDATE",
        "SELECT 1 FROM expandcontract.segment WHERE rows_filled > 0",
    ),
    "seal": (
        "dual_writing",
        (),
        SCAN,
        "SELECT 1 FROM pg_index WHERE indrelid = 'users'::regclass AND NOT indisvalid",
    ),
    "cut-over": ("backfilled", ("--release", "v3"), "SELECT 1", None),
    "contract": (
        "cut_over",
        (),
        "LOCK TABLE users IN ROW SHARE MODE",
        "SELECT 1 FROM expandcontract.change WHERE move = 'contract'",
    ),
}


def _ready(project: Project, colors: object, phase: str) -> None:
    project.settings(colors, soak="0s")  # type: ignore[arg-type]
    settings = project.directory / "expandcontract.toml"
    settings.write_text(settings.read_text() + "\n[backfill]\nwindow_pages = 5\nstripes = 2\n")
    if phase != "planned":
        project.to(phase)
    if phase == "cut_over":
        project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
        project.ec("deploy", "green", "v3")


def _killed(project: Project, colors: object, point: str) -> None:
    _, arguments, statement, sign = POINTS[point]
    if sign is None:
        project.settings(colors, soak="2s")  # type: ignore[arg-type]
    with obstacle(project, statement):
        process = project.begin("advance", CHANGE, *arguments)
        if sign is None:
            wait_until(lambda: project.weights() == "blue=30 green=70")
        else:
            wait_until(lambda: project.sql(sign))
        process.kill()
        process.wait()
    assert process.stdout is not None
    process.stdout.close()
    project.settings(colors, soak="0s")  # type: ignore[arg-type]
    wait_until(lambda: not project.sql(f"SELECT 1 {ours()} AND state <> 'idle'"))


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_run_again(project: Project, colors: object, point: str) -> None:
    """The second run ends where an undisturbed one does; no row is wrong and no acknowledged write is lost."""
    phase, arguments, _, _ = POINTS[point]
    _ready(project, colors, phase)
    column = "display_name" if point == "contract" else "full_name"
    with writers(project, column) as kept:
        _killed(project, colors, point)
        assert project.phase() == phase
        project.ec("advance", CHANGE, *arguments)
    after = {"planned": "expanded", "dual_writing": "backfilled", "backfilled": "cut_over", "cut_over": "contracted"}
    state = project.sql(STATE)[0]
    assert (after[phase], None) == state[:2]
    if phase == "dual_writing":
        assert "ix_users_display_nametrue" in str(state[4])
        assert "display_nametrue" in str(state[5])
    if point == "cut-over":
        assert project.weights() == "blue=100 green=0"
    found = dict(project.sql(f"SELECT id, {column} FROM users"))
    assert kept
    assert {} == {key: (name, found[key]) for key, name in kept.items() if found[key] != name}
    if phase not in {"planned", "cut_over"}:
        assert [(0,)] == project.sql("SELECT count(*) FROM users WHERE full_name IS DISTINCT FROM display_name")
    project.ec("history", "--verify")


@pytest.mark.parametrize("point", POINTS)
def test_killed_and_taken_back(project: Project, colors: object, point: str) -> None:
    """Ec rollback returns to where the move began, and the move can be made afterwards as if for the first time."""
    phase, arguments, _, _ = POINTS[point]
    _ready(project, colors, phase)
    before, weights = project.sql(STATE) if phase != "planned" else None, project.weights()
    with writers(project, "full_name") as kept:
        _killed(project, colors, point)
        project.ec("rollback", CHANGE)
        assert (phase, weights) == (project.phase(), project.weights())
        if before is not None:
            assert before == project.sql(STATE)
    found = dict(project.sql("SELECT id, full_name FROM users"))
    assert {} == {key: name for key, name in kept.items() if found[key] != name}
    project.ec("advance", CHANGE, *arguments)
    assert [] == project.document("status")["integrity"]
