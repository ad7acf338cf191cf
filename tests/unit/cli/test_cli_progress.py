"""Progress on a terminal, as JSON lines, and as it was kept."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

from rich.console import Console

from expandcontract.cli.figures import figures
from expandcontract.cli.screen import Plain
from expandcontract.cli.show_course import show_course
from expandcontract.cli.show_live import Live
from expandcontract.cli.show_status import backfill_words
from expandcontract.errors import RefusedError
from expandcontract.runner.events import Event

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.cli.fake import FakeRunner

LANE = {"worker": "db1:77:0", "rows": 1200, "batches": 3, "batch_s": 0.0961, "batch_pages": 750, "doing": ""}
AT: dict[str, Any] = {
    "done": 310.0,
    "total": 500,
    "rows": 124_000,
    "rate": 210_000.0,
    "eta_s": 1.0,
    "hot_share": 0.968,
    "heap_growth": 1.234,
    "waiting": [],
    "workers": [LANE, {**LANE, "worker": "db1:77:1", "doing": "vacuuming users"}],
}
SAMPLE: dict[str, Any] = {
    "at": "2026-03-01T12:00:00+00:00",
    "table": "public.users",
    "share": 0.62,
    "rows": 124_000,
    "rate": 210_000.4,
    "eta_s": 1.0,
    "hot_share": 0.968,
    "heap_bytes": 5 * 1024 * 1024,
    "waiting": ["replica lag 7.2 s"],
}


def test_a_terminal_sees_a_bar_and_every_worker() -> None:
    """Share, figures and a row a worker while it goes on; the bar alone stays once something else is said."""
    file = StringIO()
    console = Console(file=file, force_terminal=True, width=160, color_system=None)
    live = Live(console)
    live.show(Event(kind="progress", text="", data=AT))
    seen = file.getvalue()
    for part in (" 62 %", "124,000 rows, 210,000 rows/s, 97% HOT, heap x1.23, 1s left", "db1:77:0", "96 ms"):
        assert part in seen
    assert "vacuuming users" in seen
    live.pause()
    live.pause()
    rest = file.getvalue()[len(seen) :]
    assert "62 %" in rest
    assert "db1:77" not in rest
    live.show(Event(kind="progress", text="comparing, pass 1", data={"done": 1, "total": 4, "pass": 1, "differing": 0}))
    live.pause()
    assert "comparing, pass 1" in file.getvalue()


def test_a_gentle_backfill_says_so() -> None:
    """Whoever wonders why it is slower sees that others are at work."""
    assert "heap x1.23, gently, others are at work, 1s left" in figures({**AT, "gentle": True})
    assert "gently" not in figures({**AT, "gentle": False})


def test_lines_come_one_by_one(ec: Callable[..., tuple[int, str, str]]) -> None:
    """Each event is a document of its own, and the status comes last."""
    code, out, _ = ec("backfill", "a", "--json-lines")
    found = [json.loads(line) for line in out.splitlines()]
    assert (0, ["began", "progress", "finished"]) == (code, [line["kind"] for line in found[:-1]])
    assert "users_name" == found[-1]["status"]["changes"][0]["name"]


def test_what_fails_ends_the_lines(ec: Callable[..., tuple[int, str, str]], fake: FakeRunner) -> None:
    """The events until then, and the error on one line."""
    fake.raises = RefusedError("not now", hint="ec status")
    code, out, _ = ec("advance", "a", "--json-lines")
    found = [json.loads(line) for line in out.splitlines()]
    assert (3, ["began", "progress"], "EC301") == (
        code,
        [line["kind"] for line in found[:-1]],
        found[-1]["error"]["code"],
    )


def test_a_watch_is_a_line_a_pass(ec: Callable[..., tuple[int, str, str]], fake: FakeRunner) -> None:
    """Progress within a pass is for terminals; in words or as documents, everything else is a line."""
    code, out, _ = ec("verify", "a", "--watch", "--every", "1m", "--workers", "3")
    assert (0, ["▶ backfill of users_name", "● users_name is backfilled"]) == (code, out.splitlines())
    assert [("verify_again", ("a", timedelta(minutes=1)), {})] == fake.calls
    assert 3 == fake.settings.backfill.workers
    _, out, _ = ec("verify", "a", "-w", "--json")
    assert ["began", "finished"] == [json.loads(line)["kind"] for line in out.splitlines()]


def test_what_was_kept_is_a_table() -> None:
    """A line a sample; what is not known is a dash; nothing kept is said."""
    file = StringIO()
    empty = {**SAMPLE, "eta_s": None, "hot_share": None, "waiting": []}
    show_course(Plain(file), {"change": "a", "samples": [SAMPLE, empty]})
    assert [
        "AT                       TABLE         SHARE  ROWS     ROWS/S   LEFT  HOT  HEAP   WAITING",
        "2026-03-01 12:00:00 UTC  public.users  62%    124,000  210,000  1s    97%  5 MiB  replica lag 7.2 s",
        "2026-03-01 12:00:00 UTC  public.users  62%    124,000  210,000  -     -    5 MiB",
    ] == file.getvalue().splitlines()
    file = StringIO()
    show_course(Plain(file), {"change": "a", "samples": []})
    assert "nothing is kept of a backfill of a\n" == file.getvalue()


def test_a_status_says_how_far_it_is_and_who_works() -> None:
    """As of when, for whoever asks is another process than the one that fills."""
    progress = {**SAMPLE, "heap_growth": 1.2}
    found = {"paused": None, "progress": progress, "working": {"db1:77:0": 1, "db2:9:0": 2}}
    change = {"name": "a", "in_flight": {"move": "backfill"}, "backfill": found}
    how_far = "124,000 rows, 210,000 rows/s, 97% HOT, heap x1.20, 1s left"
    assert [
        f"public.users is filled to 62% as of 2026-03-01 12:00:00 UTC: {how_far}",
        "at work: db1:77:0, db2:9:0",
    ] == [line for line, _ in backfill_words(change)]
