"""``ec rehearse`` asks the runner as it was typed, and shows what was seen, also where that failed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.errors import RehearsalError
from expandcontract.runner.rehearsal import Wanted
from tests.unit.cli.fake import REHEARSED

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.fake import FakeRunner

FIGURES = ("1,234.6 ms", "rewrites public.users, reads public.orders", "✗")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("rehearse a", Wanted()),
        ("rehearse a --rows 5", Wanted(rows=5)),
        ("rehearse a --fill rows.sql", Wanted(fill=Path("rows.sql"))),
        ("rehearse a --dsn postgresql:///x --empty-it", Wanted(dsn="postgresql:///x", empty_it=True)),
    ],
)
def test_what_was_typed_is_what_is_wanted(
    fake: FakeRunner, ec: Callable[..., tuple[int, str, str]], line: str, wanted: Wanted
) -> None:
    """Each option, and the defaults."""
    Path("rows.sql").touch()
    assert 0 == ec(*line.split())[0]
    assert [("rehearse", ("a", wanted), {})] == fake.calls


@pytest.mark.parametrize("line", ["rehearse a --empty-it", "rehearse a --fill not_there.sql", "rehearse a --rows -1"])
def test_what_cannot_be_wanted_is_wrong_usage(ec: Callable[..., tuple[int, str, str]], line: str) -> None:
    """Nothing is emptied that was not named, and nothing is begun without its file."""
    code, _, said = ec(*line.split())
    assert 2 == code
    assert said.startswith("EC101")


def test_all_that_was_seen_is_shown(ec: Callable[..., tuple[int, str, str]]) -> None:
    """Notes, each move, each statement with locks, times and rows, differences, errors, and what is for good."""
    _, out, _ = ec("rehearse", "a")
    lines = [" ".join(line.split()) for line in out.splitlines()]
    for part in (
        "! PostgreSQL 18 stands in for the target's 17",
        "expand: planned → expanded",
        "! it is for good",
        " ".join(["ALTER TABLE users ADD a int ACCESS EXCLUSIVE on public.users", *FIGURES]),
        "SHARE on public.orders",
        "DROP TABLE b not run ✗",
        "held up at the longest: reads 1,234.6 ms, writes 1,234.6 ms",
        "✗ ALTER TABLE users ADD a int: public.users: SHARE was foretold, ACCESS EXCLUSIVE was taken",
        "✗ DROP TABLE b: it was not run",
        "contract: cut_over → failed",
        "✗ EC601: it failed",
        "not taken back to planned: a value of an enum stays",
    ):
        assert part in lines


def test_the_document_is_the_runners(document: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    """One document, as it came."""
    assert (0, REHEARSED) == document("rehearse", "a")


def test_a_failure_shows_what_was_seen_and_exits_1(
    fake: FakeRunner, ec: Callable[..., tuple[int, str, str]], document: Callable[..., tuple[int, dict[str, Any]]]
) -> None:
    """In words before the error, with ``--json`` beside it."""
    fake.raises = RehearsalError("2 statements differ", hint="look at them", document=REHEARSED)
    code, out, said = ec("rehearse", "a")
    assert (1, "EC605: 2 statements differ\n  next: look at them\n") == (code, said)
    assert "✗ DROP TABLE b: it was not run" in out
    code, found = document("rehearse", "a")
    assert (1, "EC605", REHEARSED["moves"]) == (code, found["error"]["code"], found["moves"])


def test_ctrl_c_says_that_nothing_is_left(fake: FakeRunner, ec: Callable[..., tuple[int, str, str]]) -> None:
    """Exit 130, and no move is in flight."""
    fake.raises = KeyboardInterrupt()
    code, _, said = ec("rehearse", "a")
    assert 130 == code
    assert "the server of the rehearsal is gone, and the target was only read" in said
