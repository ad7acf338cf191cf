"""Every command calls the runner once with what was typed, and shows its answer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.core.color import Color
from expandcontract.core.phase import Move, Phase
from expandcontract.core.release import Speaks
from expandcontract.runner.call import Call
from expandcontract.runner.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.fake import FakeRunner

ASKED: dict[str, Any] = {"release": None, "by_database": False, "speaks": {}}
RENAME: dict[str, Any] = {"table": "users", "old": "a", "new": "b"}
STEER: dict[str, Any] = {"workers": None, "target": None, "why": None}
ADVANCE: dict[str, Any] = {**ASKED, "to": None, "steps": None, "terminate_idle": False, "fence": False}
RUN: dict[str, Any] = {"deployed": False, "wait": None, "terminate_idle": False}
CASES: list[tuple[str, tuple[str, tuple[Any, ...], dict[str, Any]]]] = [
    ("init", ("init", (), {"development": False})),
    ("init --development", ("init", (), {"development": True})),
    ("new rename-column users a b", ("new", ("rename-column",), {**RENAME, "name": None})),
    ("new rename-column users a b --name x", ("new", ("rename-column",), {**RENAME, "name": "x"})),
    ("abandon a", ("abandon", ("a",), {})),
    ("lint", ("lint", ((),), {"since": None})),
    ("lint a b --since abc1", ("lint", (("a", "b"),), {"since": "abc1"})),
    ("plan a", ("plan", ("a",), {})),
    ("status", ("status", (None,), {})),
    ("status a", ("status", ("a",), {})),
    ("gate a contract", ("gate", ("a", Move.CONTRACT), ASKED)),
    ("gate a rollback", ("gate", ("a", Move.ROLL_BACK), ASKED)),
    ("gate a dual_write --by database", ("gate", ("a", Move.DUAL_WRITE), {**ASKED, "by_database": True})),
    ("advance a", ("advance", (["a"],), ADVANCE)),
    ("advance --all", ("advance", ([],), ADVANCE)),
    ("advance --all --release v2", ("advance", ([],), {**ADVANCE, "release": "v2"})),
    ("advance a --fence", ("advance", (["a"],), {**ADVANCE, "fence": True})),
    ("advance a b --release v2", ("advance", (["a", "b"],), {**ADVANCE, "release": "v2"})),
    (
        "advance a --by database --to backfilled",
        ("advance", (["a"],), {**ADVANCE, "by_database": True, "to": Phase.BACKFILLED}),
    ),
    (
        "advance a --release v2 --speaks a=new --speaks b=dual --steps 50,100",
        (
            "advance",
            (["a"],),
            {**ADVANCE, "release": "v2", "speaks": {"a": Speaks.NEW, "b": Speaks.DUAL}, "steps": (50, 100)},
        ),
    ),
    ("run a", ("run", (["a"], Call()), RUN)),
    ("run --all --deployed --wait 48h", ("run", ([], Call()), {**RUN, "deployed": True, "wait": timedelta(hours=48)})),
    (
        "run a b --release v3 --by database --speaks c=dual --steps 50,100 --fence",
        (
            "run",
            (
                ["a", "b"],
                Call(release="v3", by_database=True, speaks={"c": Speaks.DUAL}, steps=(50, 100), fence=True),
            ),
            RUN,
        ),
    ),
    ("backfill a", ("backfill", ("a",), {})),
    ("backfill a --workers 2", ("backfill", ("a",), {})),
    ("backfill a pause", ("steer", ("a", "pause"), STEER)),
    ("backfill a pause --why lunch", ("steer", ("a", "pause"), {**STEER, "why": "lunch"})),
    ("backfill a resume", ("steer", ("a", "resume"), STEER)),
    (
        "backfill a set --target 50ms --workers 0",
        ("steer", ("a", "set"), {**STEER, "workers": 0, "target": timedelta(milliseconds=50)}),
    ),
    ("verify a", ("verify", ("a",), {})),
    ("backfill a history", ("course", ("a",), {})),
    ("advance a --terminate-idle", ("advance", (["a"],), {**ADVANCE, "terminate_idle": True})),
    ("repair a", ("repair", ("a",), {"terminate_idle": False})),
    ("repair a --terminate-idle", ("repair", ("a",), {"terminate_idle": True})),
    ("deploy green v2 --speaks a=dual", ("deploy", (Color.GREEN, "v2", {"a": Speaks.DUAL}), {})),
    ("deploy green --scale-down", ("scale_down", (Color.GREEN,), {})),
    ("switch blue --steps 100", ("switch", (Color.BLUE, (100,)), {})),
    ("switch --adopt", ("adopt", (), {})),
    ("rollback a b", ("rollback", (["a", "b"],), {"steps": None, "terminate_idle": False})),
    ("rollback a --terminate-idle", ("rollback", (["a"],), {"steps": None, "terminate_idle": True})),
    ("rollback a --steps 50,100", ("rollback", (["a"],), {"steps": (50, 100), "terminate_idle": False})),
    ("window a --extend 24h", ("window", ("a", timedelta(hours=24)), {})),
    ("history a", ("history", ("a",), {})),
]


@pytest.mark.parametrize(("line", "call"), CASES, ids=[line for line, _ in CASES])
def test_runner_is_called_with_what_was_typed(
    line: str,
    call: tuple[str, tuple[Any, ...], dict[str, Any]],
    ec: Callable[..., tuple[int, str, str]],
    fake: FakeRunner,
) -> None:
    """One command line is one call of the runner, and exits 0 where the runner raised nothing."""
    code, out, err = ec(*line.split())
    assert (0, "") == (code, err)
    assert call == fake.calls[0]
    assert out


@pytest.mark.parametrize("line", [line for line, _ in CASES])
def test_json_is_one_document_and_nothing_else(line: str, document: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    """With ``--json`` standard output is one JSON document."""
    code, found = document(*line.split())
    assert code == 0
    assert isinstance(found, dict)


def test_moving_document_has_events_and_status(document: Callable[..., tuple[int, dict[str, Any]]]) -> None:
    """A moving command tells what it did and where things stand afterwards."""
    _, found = document("advance", "a")
    assert ["began", "progress", "finished"] == [event["kind"] for event in found["events"]]
    assert found["status"]["changes"][0]["name"] == "users_name"


def test_status_tells_phase_window_releases_and_what_is_altered(ec: Callable[..., tuple[int, str, str]]) -> None:
    """Everything that a person needs to decide on is on the screen, in plain lines where it is no terminal."""
    _, out, _ = ec("status")
    for part in (
        "planned ●  expanded ●  dual_writing ●  backfilled ●  cut_over ◐  contracted ○",
        "in flight: contract since 2026-03-01 12:00:00 UTC",
        "closes at 2026-03-02 12:00:00 UTC, in 1d",
        "blue: v3 speaks new, which fits",
        "green: v1 speaks old, which does not fit; cut_over wants dual or new, and it gets 10 % of the traffic",
        "next: ec advance users_name",
        "blue   90 %     v3       app_blue  users_name=new  -",
        "green  10 %",
        "locked out for the contract of users_name: app_green",
        "altered: the hold is missing; next: ec repair users_name",
    ):
        assert part in out
    assert "\x1b" not in out


def test_plain_progress_has_rate_and_time_left(ec: Callable[..., tuple[int, str, str]]) -> None:
    """Where nobody watches, progress is a line with share, rows, rate and time left."""
    _, out, _ = ec("backfill", "a")
    assert "  filling: 25%, 1,200 rows, 300 rows/s, 12s left" in out.splitlines()


def test_the_last_progress_of_each_kind_is_shown(
    ec: Callable[..., tuple[int, str, str]], fake: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines are held back while they come fast, but the end of filling is shown before comparing begins."""
    filled = [Event(kind="progress", text="", data={"done": at, "total": 3, "rows": at}) for at in (1, 2, 3)]
    compared = Event(kind="progress", text="comparing, pass 1", data={"done": 3, "total": 3, "pass": 1, "differing": 0})
    monkeypatch.setattr(fake, "_events", lambda: iter([*filled, compared]))
    _, out, _ = ec("backfill", "a")
    assert ["  filling: 100%, 3 rows", "  comparing, pass 1: 100%, 0 differ"] == out.splitlines()[-2:]


def test_closed_gate_exits_3_and_tells_measure_limit_time_and_next(
    ec: Callable[..., tuple[int, str, str]], fake: FakeRunner
) -> None:
    """A closed gate is exit 3 with the measured value beside the limit, the time it opens and what to run."""
    fake.opened = False
    code, out, _ = ec("gate", "users_name", "contract")
    assert code == 3
    assert "✓ EC310 mover-lock: nobody else moves" in out
    assert "✗ EC360 window: the rollback window closes" in out
    assert "measured 1h · limit 1d · opens at 2026-03-02 12:00:00 UTC" in out
    assert "earliest: 2026-03-02 12:00:00 UTC, in 1d" in out
    assert "next: ec gate users_name contract --wait 23h" in out


def test_closed_gate_document(document: Callable[..., tuple[int, dict[str, Any]]], fake: FakeRunner) -> None:
    """The document of a gate is the judgement's own."""
    fake.opened = False
    code, found = document("gate", "users_name", "contract")
    assert code == 3
    assert found["open"] is False
    assert found["opens_at"] == "2026-03-02T12:00:00+00:00"


def test_watch_has_no_document(ec: Callable[..., tuple[int, str, str]]) -> None:
    """``--watch`` never ends, so it refuses to be one document."""
    assert ec("status", "--watch", "--json")[0] == 2


def test_global_flags_may_follow_the_command(ec: Callable[..., tuple[int, str, str]], fake: FakeRunner) -> None:
    """``--database`` reaches the settings from either side of the command."""
    for line in (("--database", "postgresql://h/one", "status"), ("status", "--database", "postgresql://h/one")):
        assert ec(*line)[0] == 0
        assert fake.settings.database.get_secret_value() == "postgresql://h/one"


def test_verify_that_leaves_differing_rows_exits_1(
    ec: Callable[..., tuple[int, str, str]], fake: FakeRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipeline can rely on the exit code of ``ec verify``."""
    from tests.unit.cli.fake import EVENTS  # noqa: PLC0415 - one use

    event = type(EVENTS[0])(kind="step", text="2 rows differ", data={"differing": 2})
    monkeypatch.setattr(fake, "_events", lambda: iter([event]))
    assert ec("verify", "a")[0] == 1
