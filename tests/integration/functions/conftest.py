"""Tables of every kind, and the gate at which a function waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.backfills import GATE
from tests.function_fills import TABLES, Table

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=list(TABLES))
def table(request: pytest.FixtureRequest, ledger_database: str) -> Table:
    """Of every kind."""
    return Table(ledger_database, request.param)


@pytest.fixture
def users(ledger_database: str) -> Table:
    """With a primary key."""
    return Table(ledger_database, "key")


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the function says that it was called, and waits to be let on."""
    monkeypatch.setenv(GATE, str(tmp_path))
    return tmp_path
