"""The command line over a runner that answers from memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.cli.main import run
from tests.unit.cli.fake import FakeRunner

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeRunner:
    """The runner that every command gets, in an empty directory."""
    made = FakeRunner()
    monkeypatch.setattr("expandcontract.runner.runner.Runner", made)
    monkeypatch.chdir(tmp_path)
    return made


@pytest.fixture
def ec(fake: FakeRunner, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run one command line: exit code, standard output, standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = run(list(arguments))
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


@pytest.fixture
def document(ec: Callable[..., tuple[int, str, str]]) -> Callable[..., tuple[int, dict[str, Any]]]:
    """Run one command line with ``--json``: exit code and the one document."""

    def call(*arguments: str) -> tuple[int, dict[str, Any]]:
        code, out, _ = ec(*arguments, "--json")
        return code, json.loads(out)

    return call
