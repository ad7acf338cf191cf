"""``ec backfill CHANGE pause | resume | set``, and what ``ec status`` says of a backfill under way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.cli.show_status import backfill_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.fake import FakeRunner

HELD = {"signal": "replica_lag", "title": "replica lag", "times": 3, "seconds": 42.5, "now": True}
HELD["last"] = "replica lag 7.2 s, limit 5 s (replica1)"
PAUSED = {"at": "2026-03-01T12:00:00+00:00", "by": "ada on db1", "why": "the sale begins"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("backfill a stop", "EC101: a backfill cannot be told 'stop'"),
        ("backfill a resum", "did you mean 'resume'?"),
        ("backfill a set", "EC101: there is nothing to set"),
        ("backfill a pause --workers 1", "EC101: --workers goes with set"),
        ("backfill a resume --why lunch", "EC101: --why goes with pause"),
        ("backfill a --target 50ms", "EC101: --target goes with set"),
        ("backfill a set --target soon", "EC101: 'soon' is not a duration"),
    ],
)
def test_what_cannot_be_told_is_wrong_usage(
    line: str, said: str, ec: Callable[..., tuple[int, str, str]], fake: FakeRunner
) -> None:
    """It exits 2, says what can be, and asks the runner nothing."""
    code, _, err = ec(*line.split())
    assert code == 2
    assert said in err
    assert "next: ec backfill CHANGE" in err or "next: write 30s" in err
    assert [] == fake.calls


def test_workers_of_a_run_are_a_setting(ec: Callable[..., tuple[int, str, str]], fake: FakeRunner) -> None:
    """The flag is over the file; other settings of the table stay."""
    assert ec("backfill", "a", "--workers", "3")[0] == 0
    assert fake.settings.backfill.workers == 3
    assert fake.settings.backfill.stripes == 16


def test_a_paused_backfill_says_so() -> None:
    """By whom, since when, why, and what lets it go on; then what is set, what holds it back and what has."""
    change: dict[str, Any] = {
        "name": "a",
        "in_flight": {"move": "backfill"},
        "backfill": {"paused": PAUSED, "workers": 1, "target": "50ms", "held_back": [HELD, {**HELD, "now": False}]},
    }
    assert [
        "paused by ada on db1 since 2026-03-01 12:00:00 UTC: the sale begins",
        "to go on: ec backfill a resume",
        "set while it runs: workers in each process: 1; batches of 50ms",
        "waiting: replica lag 7.2 s, limit 5 s (replica1)",
        "held back so far: replica lag 3 times, 42.5 s; replica lag 3 times, 42.5 s",
    ] == [line for line, _ in backfill_words(change)]


@pytest.mark.parametrize(
    "change", [{}, {"in_flight": {"move": "backfill"}, "backfill": None}, {"backfill": {"paused": PAUSED}}]
)
def test_nothing_is_said_of_a_backfill_that_is_none(change: dict[str, Any]) -> None:
    """Before it has begun, and once it is over."""
    assert [] == backfill_words(change)


def test_steering_shows_what_it_came_to(ec: Callable[..., tuple[int, str, str]]) -> None:
    """The answer is the change's own line, not the whole status."""
    _, out, _ = ec("backfill", "users_name", "resume")
    assert "users_name: it runs as configured, and nothing has held it back\n" == out
