"""Pairs that tighten or remove: files as a developer would write them, whose downgrades lead back."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic import command

from tests.compat.drive import Case, Drive
from tests.compat.test_recipes import CASES

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer
    from tests.fix_project import Project

pytestmark = pytest.mark.slow
RECIPES = {
    "set-not-null",
    "add-check",
    "add-unique",
    "add-foreign-key",
    "drop-column",
    "drop-table",
    "rename-table",
}
MINE = [case for case in CASES if case.recipe in RECIPES]


def _lines(dump: str) -> list[str]:
    """The dump without regard to the order of columns, which a column that was brought back changes."""
    return sorted(line.strip().rstrip(",") for line in dump.splitlines())


@pytest.mark.parametrize("case", MINE, ids=lambda case: case.name)
def test_written(case: Case, empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The files pass ruff as they are; on a development database both halves go down and up again."""
    monkeypatch.chdir(empty.directory)
    drive = Drive(case, empty, server)
    drive.prepare()
    files = sorted(map(str, (empty.directory / "migrations" / "versions").glob("*_*_*.py")))
    files = [name for name in files if not name.endswith("0001_tables.py")]
    assert 2 == len(files)
    for check in (["check", "--isolated"], ["format", "--isolated", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *check, *files], capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stdout + done.stderr
    before = drive.dump()
    dsn = drive.fresh_database()
    up = drive.dump(dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("UPDATE expandcontract.installation SET development = true")
    command.downgrade(drive.config(dsn), "contract@-1")
    command.downgrade(drive.config(dsn), "expand@-1")
    assert _lines(before) == _lines(drive.dump(dsn))
    command.upgrade(drive.config(dsn), "heads")
    assert _lines(up) == _lines(drive.dump(dsn))
