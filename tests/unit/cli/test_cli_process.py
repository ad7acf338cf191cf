"""The ``ec`` process itself: what it imports, how long it takes, what it says of a bad file."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from expandcontract.cli.table import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"alembic", "sqlalchemy", "psycopg", "pydantic_settings", "rich", "tenacity"}


def ec(*arguments: str, cwd: Path, python: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run ``python -m expandcontract`` to its end."""
    command = [sys.executable, *python, "-m", "expandcontract", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    "line", ["--help", "gate --help", "advance --help", "run --help", "new --help", "--version", "statsu"]
)
def test_help_imports_nothing_heavy(line: str, tmp_path: Path) -> None:
    """Help, and the refusal of a typo, load no database, no settings and no Rich."""
    done = ec(*line.split(), cwd=tmp_path, python=("-X", "importtime"))
    loaded = {row.rsplit("|", 1)[-1].strip().split(".")[0] for row in done.stderr.splitlines() if "|" in row}
    assert "typer" in loaded
    assert set() == loaded & HEAVY


def test_help_lists_every_command_without_importing_one(tmp_path: Path) -> None:
    """``ec --help`` is the table of commands, and no command's module is loaded for it."""
    done = ec("--help", cwd=tmp_path, python=("-X", "importtime"))
    assert done.returncode == 0
    assert [] == [name for name in COMMANDS if f"  {name}" not in done.stdout]
    assert "expandcontract.cli.commands" not in done.stderr
    assert "pydantic" not in done.stderr


def test_help_is_quick(tmp_path: Path) -> None:
    """The best of three is below a second, on a machine that does other things too."""
    took = []
    for _ in range(3):
        start = time.monotonic()
        ec("--help", cwd=tmp_path)
        took.append(time.monotonic() - start)
    assert min(took) < 1.0


def test_bad_file_is_one_line_and_exit_2(tmp_path: Path) -> None:
    """A key that does not exist is named with the nearest that does, and nothing is connected to."""
    (tmp_path / "expandcontract.toml").write_text('[window]\nlenght = "1h"\n')
    done = ec("status", cwd=tmp_path)
    assert (2, "") == (done.returncode, done.stdout)
    first, second = done.stderr.splitlines()
    assert first.startswith("EC102: no setting is called window.lenght")
    assert second == "  next: the nearest that exists is window.length"


def test_no_database_is_one_line_and_exit_2(tmp_path: Path) -> None:
    """Without an address the process says where to write one."""
    done = ec("status", cwd=tmp_path)
    assert done.returncode == 2
    assert "EC_DATABASE" in done.stderr
    assert "Traceback" not in done.stderr


def test_unreachable_database_never_shows_the_password(tmp_path: Path) -> None:
    """The address is told without its password, with ``--debug`` too."""
    done = ec("--debug", "--database", "postgresql://ec:s3cr3t@127.0.0.1:1/shop", "status", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot connect to shop on 127.0.0.1:1 as ec" in done.stderr
    assert "s3cr3t" not in done.stderr + done.stdout
