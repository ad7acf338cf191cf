"""``ec work``: other processes help with a backfill, and nothing of the project is needed for that."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from pathlib import Path

SMALL = '\n[backfill]\nwindow_pages = 1\nmost_pages = 1\ntarget = "1ms"\nworkers = 1\n'
REFUSED = 3


def _dual_writing(project: Project) -> None:
    settings = project.directory / "expandcontract.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + SMALL, encoding="utf-8")
    project.ec("advance", CHANGE)
    project.ec("advance", CHANGE, "--by", "database")


def test_without_a_backfill_it_is_refused(project: Project) -> None:
    """Where no backfill is under way it exits 3 and says how one is begun; with --wait only after that time."""
    _dual_writing(project)
    assert f"ec backfill {CHANGE} begins it" in project.ec("work", CHANGE, expect=REFUSED)
    assert f"no backfill of {CHANGE} is under way" in project.ec("work", CHANGE, "--wait", "1s", expect=REFUSED)
    assert "there is no change 'nobody'" in project.ec("work", "nobody", expect=2)


def test_a_process_elsewhere_fills_its_share(project: Project, tmp_path: Path) -> None:
    """Two workers in a folder without project wait for the backfill; together all rows are filled, each once."""
    _dual_writing(project)
    project.sql(  # as rows that were there before the triggers
        "SET session_replication_role = replica;"
        "INSERT INTO users (full_name) SELECT 'more ' || n FROM generate_series(1, 40000) AS n"
    )
    elsewhere = replace(project, directory=tmp_path / "elsewhere")
    elsewhere.directory.mkdir()
    (elsewhere.directory / "expandcontract.toml").write_text(SMALL, encoding="utf-8")
    helping = [
        subprocess.Popen(
            [sys.executable, "-m", "expandcontract", "work", CHANGE, "--wait", "1m", "--json"],
            cwd=elsewhere.directory,
            env=elsewhere.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        project.ec("backfill", CHANGE)
        documents = [json.loads(process.communicate(timeout=60)[0]) for process in helping]
    finally:
        for process in helping:
            process.kill()
            process.wait()
    assert [0, 0] == [process.returncode for process in helping], documents
    rows = [document["events"][-1]["data"]["rows"] for document in documents]
    assert sum(rows) > 0
    assert "backfilled" == project.phase()
    assert [(45_000,)] == project.sql("SELECT sum(rows_filled) FROM expandcontract.segment")
    assert [(0,)] == project.sql("SELECT count(*) FROM users WHERE display_name IS DISTINCT FROM full_name")


def test_the_manifest(project: Project) -> None:
    """An Indexed Job with what was asked for; another kind of manifest is wrong usage."""
    said = project.ec("work", CHANGE, "--manifest", "kubernetes", "--image", "shop:v3", "--pods", "8", "--workers", "2")
    assert "completionMode: Indexed" in said
    assert "parallelism: 8" in said
    assert f'args: ["ec", "work", "{CHANGE}", "--workers", "2", "--wait", "1h"]' in said
    assert f"name: ec-work-{CHANGE.replace('_', '-')}" in said
    assert "$" not in said
    assert "'nomad' is not known" in project.ec("work", CHANGE, "--manifest", "nomad", expect=2)
