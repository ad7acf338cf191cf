"""The files that recipes write are typed Python that a project's own check leaves alone."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

from tests.compat.drive import Drive

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer
    from tests.compat.drive import Case
    from tests.fix_project import Project

pytestmark = pytest.mark.slow
MODULES = (
    "add_column",
    "change_default",
    "drop_not_null",
    "add_index",
    "drop_index",
    "drop_constraint",
    "change_enum",
    "sql",
)
CASES = [case for module in MODULES for case in import_module(f"tests.compat.cases.{module}").CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.recipe}:{case.name}")
def test_written_as_a_developer_would(
    case: Case, empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ruff's default rules find nothing, its formatter changes nothing, and every function says what it returns."""
    monkeypatch.chdir(empty.directory)
    Drive(case, empty, server).prepare()
    written = sorted((empty.directory / "migrations" / "versions").glob("*_expand.py"))
    written += sorted((empty.directory / "migrations" / "versions").glob("*_contract.py"))
    assert written
    for verb in (("check",), ("format", "--diff")):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *verb, "--isolated", *written], capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stdout + done.stderr
    for path in written:
        source = path.read_text(encoding="utf-8")
        assert source.count("def ") == source.count("() -> None:")
