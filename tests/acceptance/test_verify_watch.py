"""``ec verify`` by hand: rows by key, and watching while both shapes live."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

from tests.fix_project import CHANGE

if TYPE_CHECKING:
    import subprocess

    from tests.fix_project import Project

BY_STEALTH = "SET session_replication_role = replica; UPDATE users SET display_name = '{}' WHERE id = 17"


def _line(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The next pass; a note, such as that a table had no statistics, may come before it."""
    assert process.stdout is not None
    while True:
        found: dict[str, Any] = json.loads(process.stdout.readline())
        if "note" != found["kind"]:
            assert "step" == found["kind"]
            return found


def _until(process: subprocess.Popen[str], differing: int) -> dict[str, Any]:
    """The first pass that counts so many."""
    while (found := _line(process))["data"]["differing"] != differing:
        pass
    return found


def _end(process: subprocess.Popen[str]) -> None:
    """End what a failed test would leave behind, and close its pipe."""
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_watch_sees_what_comes_and_goes_until_ctrl_c(project: Project) -> None:
    """One line a pass; a row written past the triggers is named by its key; having seen it, Ctrl-C ends with 1."""
    project.to("backfilled")
    watch = project.begin("verify", CHANGE, "--watch", "--every", "10ms", "--json", "--workers", "2")
    try:
        clean = _until(watch, 0)
        assert ([], "no row differs") == (clean["data"]["rows"], clean["text"].split("  ")[1])
        project.sql(BY_STEALTH.format("x"))
        seen = _until(watch, 1)
        assert (["users id=17"], "1 row differs: users id=17") == (seen["data"]["rows"], seen["text"].split("  ")[1])
        project.sql(BY_STEALTH.format("User 17"))
        assert clean["data"]["pass"] < seen["data"]["pass"] < _until(watch, 0)["data"]["pass"]
        watch.send_signal(signal.SIGINT)
        watch.communicate(timeout=60)
    finally:
        _end(watch)
    assert 1 == watch.returncode


def test_a_watch_that_saw_nothing_ends_well(project: Project) -> None:
    """Ctrl-C is the usual end of watching; in words, too, there is one line a pass."""
    project.to("backfilled")
    watch = project.begin("verify", CHANGE, "--watch", "--every", "1h")
    try:
        assert watch.stdout is not None
        while (line := watch.stdout.readline()).startswith("!"):
            pass
        assert "UTC  no row differs\n" in line
        watch.send_signal(signal.SIGTERM)
        rest, _ = watch.communicate(timeout=60)
    finally:
        _end(watch)
    assert (0, "") == (watch.returncode, rest)


def test_a_watch_ends_with_the_two_shapes(project: Project) -> None:
    """The change is taken back meanwhile: the watch says so and ends; rows had differed, so with 1."""
    project.to("expanded")
    watch = project.begin("verify", CHANGE, "--watch", "--every", "10ms", "--json")
    try:
        assert 5000 == _line(watch)["data"]["differing"]
        project.ec("rollback", CHANGE)
        rest, _ = watch.communicate(timeout=60)
    finally:
        _end(watch)
    end = json.loads(rest.splitlines()[-1])
    assert ("finished", 1) == (end["kind"], watch.returncode), rest
    assert end["text"].startswith(f"{CHANGE} is planned by now; rows differed in ")
    assert "there are no two shapes to compare" in project.ec("verify", CHANGE, "--watch", expect=2)


def test_the_rest_belongs_to_watching(project: Project) -> None:
    """``--every`` by itself is refused, and the hint has both."""
    said = project.ec("verify", CHANGE, "--every", "1m", expect=2)
    assert f"next: ec verify {CHANGE} --watch --every 1m" in said


def test_rows_are_repaired_and_what_cannot_be_is_named(project: Project) -> None:
    """Before cut-over the old shape wins; after it the rows are only counted, each with its key."""
    project.to("backfilled")
    project.sql(BY_STEALTH.format("x"))
    assert "agree on every row" in project.ec("verify", CHANGE)
    project.ec("advance", CHANGE, "--release", "v3")
    project.sql(BY_STEALTH.format("x"))
    assert "1 rows differ, first: users id=17" in project.ec("verify", CHANGE, expect=1)
