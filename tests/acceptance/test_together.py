"""Two movers, two changes, two writers: one works, the other waits outside, and neither touches the other's work."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from collections.abc import Callable

OTHER = "users_nick_to_handle"
REFUSED, BUSY, USAGE = 3, 4, 2


def wait_until(condition: Callable[[], object]) -> None:
    """Wait until it holds, at most half a minute."""
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("it never came to that")


def test_two_advances_at_once(project: Project) -> None:
    """While one holds the mover lock the other exits 4 at once and names the holder's process."""
    with psycopg.connect(project.database) as blocker:
        blocker.execute("LOCK TABLE users IN ACCESS SHARE MODE")
        first = project.begin("advance", CHANGE)
        wait_until(lambda: project.sql("SELECT 1 FROM expandcontract.change WHERE move = 'expand'"))
        said = project.ec("advance", CHANGE, expect=BUSY)
        assert f"ec advance {CHANGE}, process {first.pid} of" in said
        assert "backend" in said
        said = project.run("alembic", "upgrade", "expand@head", expect=255)
        assert f"process {first.pid} of" in said
    first.communicate(timeout=60)
    assert first.returncode == 0
    assert project.phase() == "expanded"


def _columns(project: Project) -> dict[str, str]:
    rows = project.sql("SELECT full_name, display_name, nick, handle FROM users WHERE id = 1")
    return dict(zip(("full_name", "display_name", "nick", "handle"), rows[0], strict=True))  # type: ignore[arg-type]


def test_two_changes_on_one_table(project: Project) -> None:
    """In different phases, neither's expand, roll-back or contract does anything to the other."""
    project.ec("new", "rename-column", "users", "nick", "handle")
    said = project.ec("advance", OTHER, expect=REFUSED)
    assert f"the expand of {CHANGE} comes first" in said
    project.to("backfilled")
    project.ec("advance", OTHER)
    project.sql("UPDATE users SET full_name = 'Ann', handle = 'ann' WHERE id = 1")
    assert {"full_name": "Ann", "display_name": "Ann", "nick": "ann", "handle": "ann"} == _columns(project)
    project.ec("rollback", OTHER)
    assert ("planned", "backfilled") == (project.phase(OTHER), project.phase())
    project.sql("UPDATE users SET full_name = 'Bea' WHERE id = 1")
    assert [("Bea", "Bea")] == project.sql("SELECT full_name, display_name FROM users WHERE id = 1")
    project.ec("advance", OTHER)
    project.ec("advance", OTHER, "--by", "database")
    project.ec("advance", OTHER)
    project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    project.ec("advance", CHANGE, "--release", "v3")
    project.ec("deploy", "green", "v3")
    project.ec("advance", CHANGE)
    assert ("contracted", "backfilled") == (project.phase(), project.phase(OTHER))
    project.sql("UPDATE users SET nick = 'cleo' WHERE id = 1")
    assert [("Bea", "cleo", "cleo")] == project.sql("SELECT display_name, nick, handle FROM users WHERE id = 1")
    assert [] == project.document("status")["integrity"]


def test_a_second_change_of_the_same_column(project: Project) -> None:
    """Refused when written; refused by the gate and by the server where a file was written by hand."""
    said = project.ec("new", "rename-column", "users", "full_name", "other_name", expect=USAGE)
    assert f"{CHANGE} maps full_name of users already" in said
    versions = project.directory / "migrations" / "versions"
    assert 3 == len(list(versions.glob("*.py")))
    expand = next(versions.glob("*expand.py"))
    contract = next(versions.glob("*contract.py"))
    first = re.search(r'^revision = "(\w+)"', expand.read_text(encoding="utf-8"), re.MULTILINE)
    last = re.search(r'^revision = "(\w+)"', contract.read_text(encoding="utf-8"), re.MULTILINE)
    assert first and last  # noqa: PT018  # both are there or the files are not ours
    for path, old, new in ((expand, first[1], "e2"), (contract, last[1], "c2")):
        text = path.read_text(encoding="utf-8").replace("display_name", "other_name")
        text = text.replace(f'revision = "{old}"', f'revision = "{new}"', 1).replace('"0001"', f'"{old}"')
        text = re.sub(r"branch_labels = .*", "branch_labels = None", text)
        text = text.replace(f'depends_on = "{first[1]}"', 'depends_on = "e2"')
        (versions / f"{new}.py").write_text(text, encoding="utf-8")
    project.ec("advance", CHANGE)
    said = project.ec("advance", "users_full_name_to_other_name", expect=REFUSED)
    assert "EC321 columns-free" in said
    assert f"{CHANGE} is open and maps full_name of users already" in said
    said = project.run("alembic", "upgrade", "expand@head", expect=1)
    assert "maps a column that the open change" in said
    assert project.phase() == "expanded"


def test_writers_that_say_what_they_speak_and_those_that_do_not(project: Project) -> None:
    """What changed decides; where that is silent, what the session speaks; a disagreement is counted."""
    project.ec("advance", CHANGE)
    with (
        psycopg.connect(project.database, autocommit=True) as old,
        psycopg.connect(project.database, autocommit=True) as new,
    ):
        new.execute(f"SET expandcontract.speaks = 'other=old,{CHANGE}=new'")
        for connection, column, key in (
            (old, "full_name", 1),
            (old, "display_name", 2),
            (new, "full_name", 3),
            (new, "display_name", 4),
        ):
            connection.execute(f"UPDATE users SET {column} = 'written' WHERE id = {key}")
        old.execute("UPDATE users SET full_name = 'o', display_name = 'n' WHERE id = 5")
        new.execute("UPDATE users SET full_name = 'o', display_name = 'n' WHERE id = 6")
        old.execute("INSERT INTO users (id, full_name) VALUES (9001, 'inserted')")
        new.execute("INSERT INTO users (id, display_name) VALUES (9002, 'inserted')")
        new.execute("INSERT INTO users (id, full_name, display_name) VALUES (9003, 'o', 'n')")
        old.execute("UPDATE users SET visits = 1 WHERE id = 8")
    rows = project.sql("SELECT id, full_name, display_name FROM users WHERE id < 9 OR id > 9000 ORDER BY id")
    expected = [
        *((key, "written", "written") for key in (1, 2, 3, 4)),
        (5, "o", "o"),
        (6, "n", "n"),
        (7, "User 7", None),
        (8, "User 8", "User 8"),
        (9001, "inserted", "inserted"),
        (9002, "inserted", "inserted"),
        (9003, "n", "n"),
    ]
    assert expected == rows
    assert [("old", 1), ("new", 2)] == project.sql(
        "SELECT won, count(*) FROM expandcontract.conflict GROUP BY won ORDER BY won DESC"
    )
