"""What the recipes with a mapping write is Python that a formatter leaves alone, a linter passes, and that imports."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from expandcontract.config.load import load
from expandcontract.runner.runner import Runner
from tests.compat.cases import change_enum, change_type, move_column, split_merge
from tests.compat.drive import REVISION

if TYPE_CHECKING:
    from tests.compat.drive import Case
    from tests.fix_project import Project

pytestmark = pytest.mark.slow
CASES = [*change_enum.CASES, *change_type.CASES, *move_column.CASES, *split_merge.CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_reads_as_a_developer_would_write_it(case: Case, empty: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """``ruff check``, ``ruff format --check`` and the import find nothing, whatever the names."""
    monkeypatch.chdir(empty.directory)
    runner = Runner(load(empty.directory, database=empty.database), empty.directory)
    list(runner.init())
    versions = empty.directory / "migrations" / "versions"
    (versions / "0001_tables.py").write_text(REVISION.format(setup=case.setup), encoding="utf-8")
    empty.sql(case.setup)
    paths = [str(path) for path in runner.new(case.recipe, name=case.name, **case.arguments).paths]
    for arguments in (("check", "--isolated", "--select", "E4,E7,E9,F,I"), ("format", "--isolated", "--check")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *arguments, *paths], capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stdout + done.stderr
    for path in paths:
        spec = importlib.util.spec_from_file_location("written", path)
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
