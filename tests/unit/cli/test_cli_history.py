"""The journal in words: each entry's detail as it can be read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from expandcontract.cli.screen import screen
from expandcontract.cli.show_history import show_history
from expandcontract.core.color import Color
from expandcontract.core.guard import Measured, Metric, judge

if TYPE_CHECKING:
    import pytest

ERRORS = judge(Metric(name="errors", limit=0.01), Color.GREEN, Measured(value=0.034), None)


def test_measured_beside_limit(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The metrics of a stage are told in words, other details as they are kept."""
    monkeypatch.setenv("COLUMNS", "300")
    detail = {"why": "errors", "percent": 25, "metrics": [ERRORS.document()], "changes": ["a", "b"], "none": []}
    at = datetime(2026, 11, 24, 12, tzinfo=UTC)
    show_history(screen(), [{"seq": 7, "at": at, "actor": "ann", "event": "stage_failed", "detail": detail}])
    said = capsys.readouterr().out
    assert "stage_failed" in said
    assert 'why=errors, percent=25, metrics=errors of green is 0.034, limit 0.01, changes=["a", "b"], none=[]' in said
