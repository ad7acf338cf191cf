"""What ``ec new`` writes is formatted, typed Python that lint passes, for every recipe."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import alembic.op
import psycopg
import pytest

from tests.compat.drive import Case, Drive
from tests.compat.test_recipes import CASES
from tests.fix_project import Answer, Project

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer

pytestmark = pytest.mark.slow
HOUSE = str(Path(__file__).parents[2] / "pyproject.toml")
RUFF = {
    "the house's rules": ("check", "--config", HOUSE),
    "the house's format": ("format", "--check", "--diff", "--config", HOUSE),
    "ruff's own rules": ("check", "--isolated"),
    "ruff's own format": ("format", "--check", "--diff", "--isolated"),
}
ONE_EACH = list({case.recipe: case for case in CASES}.values())
UNKNOWN = re.compile(r'Module has no attribute "(\w+)"')


def written(drive: Drive) -> list[Path]:
    """Write the pair of a case; its files."""
    drive.prepare()
    versions = drive.project.directory / "migrations" / "versions"
    return [path for path in versions.glob("*.py") if path.name != "0001_tables.py"]


def said(folder: Path, *command: str) -> str:
    """What a tool has against files; empty where it passes them."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=folder, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_lint_and_ruff_pass_what_is_written(
    case: Case, empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No finding of ``ec lint --strict``, squawk's included; ruff's rules and format, ours and its own, are kept."""
    monkeypatch.chdir(empty.directory)
    drive = Drive(case, empty, server)
    files = written(drive)
    report = drive.runner.lint([case.name])
    assert ([], ()) == ([f"{f.code} {f.path}:{f.line} {f.what}" for f in report.findings], report.notes)
    told = {name: said(empty.directory, "ruff", *command, *map(str, files)) for name, command in RUFF.items()}
    assert dict.fromkeys(RUFF, "") == told


def test_mypy_passes_what_is_written(
    tmp_path: Path,
    server: LocalServer,
    database: str,
    colors: tuple[Answer, Answer],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One pair a recipe, strictly; but for our directives, which Alembic's stub of ``op`` cannot know."""
    files = tmp_path / "written"
    files.mkdir()
    for number, case in enumerate(ONE_EACH):
        folder = tmp_path / str(number)
        folder.mkdir()
        monkeypatch.chdir(folder)
        name = f"{database.rsplit('/', 1)[1]}_{number}"
        with psycopg.connect(server.dsn(), autocommit=True) as owner:
            owner.execute(f"CREATE DATABASE {name}")
        try:
            project = Project(folder, server.dsn(name))
            project.settings(colors)
            (folder / "weights").write_text("blue=100 green=0\n", encoding="utf-8")
            for path in written(Drive(case, project, server)):
                path.rename(files / f"r_{path.name}")
        finally:
            with psycopg.connect(server.dsn(), autocommit=True) as owner:
                owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    lines = [line for line in said(files, "mypy", "--strict", str(files)).splitlines() if ": error:" in line]
    known = [line for line in lines if (found := UNKNOWN.search(line)) and hasattr(alembic.op, found[1])]
    assert [] == [line for line in lines if line not in known]
