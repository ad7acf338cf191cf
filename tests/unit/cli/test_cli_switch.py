"""``ec switch`` beside a color: what a shift is told, adopting, checking; and ``ec rollback --dry-run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.fake import FakeRunner

    Ec = Callable[..., tuple[int, str, str]]
    Document = Callable[..., tuple[int, dict[str, Any]]]

REFUSED, UNUSABLE = 3, 5


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("switch", "no color was named"),
        ("switch blue --adopt", "--adopt stands alone, without blue"),
        ("switch --adopt --check", "--adopt stands alone, without check"),
        ("switch pause --check", "--check stands alone, without pause"),
        ("switch resume --why lunch", "--why goes with pause and abort"),
        ("switch blue --why lunch", "--why goes with pause and abort"),
        ("switch pause --steps 100", "--steps goes with a color"),
        ("switch stop", "'stop' is no color"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(line: str, said: str, ec: Ec, fake: FakeRunner) -> None:
    """It exits 2, says what can be typed, and asks the runner nothing."""
    code, _, err = ec(*line.split())
    assert 2 == code
    assert said in err
    assert "next: " in err
    assert [] == fake.calls


def test_a_shift_is_told(ec: Ec, document: Document, fake: FakeRunner) -> None:
    """What came of it is said, and how to go on; or given as one document."""
    code, out, _ = ec("switch", "pause", "--why", "lunch")
    assert 0 == code
    assert "the shift toward green pauses" in out
    assert "paused by ada on db1 at 2026-03-01 12:00:00 UTC: lunch" in out
    assert "next: ec switch resume, or ec switch abort" in out
    assert "green" == document("switch", "abort")[1]["status"]["traffic"]["shift"]["toward"]
    assert [("tell", ("pause", "lunch"), {}), ("tell", ("abort", None), {})] == fake.calls


def test_checks(ec: Ec, document: Document, fake: FakeRunner) -> None:
    """Exit 0 where the balancer can be used, 5 where it cannot, with what to do."""
    code, out, _ = ec("switch", "--check")
    assert (0, True) == (code, "✓ it answers" in out)
    assert "! it cuts connections" in out
    assert "switch nginx can be used" in out
    fake.opened = False
    code, out, _ = ec("switch", "--check")
    assert UNUSABLE == code
    assert "✗ no folder" in out
    assert "next: mkdir -p x" in out
    assert "all of the traffic or none" in out
    assert (UNUSABLE, False) == ((found := document("switch", "--check"))[0], found[1]["ok"])


def test_a_roll_back_foretold(ec: Ec, document: Document, fake: FakeRunner) -> None:
    """Where to, what is deployed, named and lost, and the gates; exit 0 or 3."""
    code, out, _ = ec("rollback", "a", "--dry-run", "--steps", "50,100")
    assert 0 == code
    assert "a would go from cut_over to backfilled" in out
    assert "all of it to green with v2, by way of 50 %" in out
    assert "deployed first: v2 on green, over v3" in out
    assert "3 rows tell more" in out
    assert "next: ec rollback a" in out
    fake.opened = False
    code, out, _ = ec("rollback", "a", "--dry-run")
    assert REFUSED == code
    assert "traffic: not known, and stays" in out
    assert "must be named: orders_total" in out
    assert REFUSED == document("rollback", "a", "--dry-run")[0]
