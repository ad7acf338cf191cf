"""What the swapped recipes write is Python that a project's own checks leave alone."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.compat.cases import keep_name, widen_primary_key
from tests.compat.drive import Case, Drive

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer
    from tests.fix_project import Project


pytestmark = pytest.mark.slow


@pytest.mark.parametrize("case", [*keep_name.CASES, *widen_primary_key.CASES], ids=lambda case: case.name)
def test_ruff_has_nothing_to_say(
    case: Case, empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``ruff check`` and ``ruff format --check`` with their defaults pass on both halves."""
    monkeypatch.chdir(empty.directory)
    Drive(case, empty, server).prepare()
    paths = sorted((empty.directory / "migrations" / "versions").glob(f"*_{case.name}_*.py"))
    assert len(paths) == 2
    for arguments in (("check",), ("format", "--check", "--diff")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", arguments[0], "--isolated", *arguments[1:], *paths],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
