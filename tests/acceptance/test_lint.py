"""``ec lint`` as a process: which revisions it judges, without any database, and what ``ec new`` writes passes it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from pathlib import Path

LATER = '''"""later, an ordinary revision"""
from alembic import op

revision = "0009"
down_revision = "{down}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("nobody_knows")


def downgrade() -> None:
    pass
'''

LADEN = """
ALTER TABLE users ADD COLUMN "Preferred Contact" varchar(40) DEFAULT 'by: "letter"' NOT NULL
    CHECK (length("Preferred Contact") > 2);
ALTER TABLE users ADD CONSTRAINT users_preferred_contact_and_nick_are_unique UNIQUE ("Preferred Contact", nick);
CREATE INDEX ix_users_lower_preferred_contact_where_nick ON users (lower("Preferred Contact"), nick) WHERE nick <> '';
COMMENT ON COLUMN users."Preferred Contact" IS 'how a person likes to be addressed: by letter, by phone, or not at all';
GRANT SELECT ("Preferred Contact") ON users TO app_blue;
"""


@pytest.fixture
def offline(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The project with its pair, and no database to be had."""
    monkeypatch.delenv("EC_DATABASE", raising=False)
    return Project(project.directory, "")


def lint(project: Project, *arguments: str, expect: int = 0) -> dict[str, Any]:
    """The report on some revisions."""
    return project.document("lint", *arguments, expect=expect)


def later(project: Project) -> Path:
    """An ordinary revision with an error, after the expand."""
    (down,) = lint(project, CHANGE)["revisions"][:1]
    path = project.directory / "migrations" / "versions" / "0009_later.py"
    path.write_text(LATER.format(down=down), encoding="utf-8")
    return path


def passes(project: Project, change: str) -> None:
    """No finding of any kind, squawk's included; ruff's default rules and its format leave the files as they are."""
    report = lint(project, change, "--strict")
    assert ([], [], 2) == (report["findings"], report["notes"], len(report["revisions"]))
    files = [str(path) for path in (project.directory / "migrations" / "versions").glob(f"*_{change}_*.py")]
    assert 2 == len(files)
    for command in (["check"], ["format", "--check", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", *files],
            cwd=project.directory,  # in the repository ruff takes the package for the project's own
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stdout + done.stderr


def test_what_new_writes_passes_lint_and_ruff(project: Project) -> None:
    """The pair of a plain column."""
    passes(project, CHANGE)


def test_what_new_writes_of_a_laden_column_passes_too(bare: Project) -> None:
    """Long lines, quotes of both kinds, and everything that a column can carry."""
    bare.sql(LADEN)
    bare.ec("new", "rename-column", "users", "Preferred Contact", "Contact By", "--name", "users_contact")
    passes(bare, "users_contact")


def test_all_from_the_first_pair_on(offline: Project) -> None:
    """Without arguments: both halves and what came later; what was there before the first pair has to be named."""
    later(offline)
    report = lint(offline, expect=3)
    assert ["EC201"] == [finding["code"] for finding in report["findings"]]
    assert (3, False) == (len(report["revisions"]), "0001" in report["revisions"])
    assert ["0001"] == lint(offline, "0001")["revisions"]


def test_what_is_asked_for(offline: Project) -> None:
    """A change means both halves, a file its revision, ``--since`` what comes after; paths lead there from here."""
    path = later(offline)
    both = lint(offline, CHANGE)["revisions"]
    (found,) = lint(offline, str(path.relative_to(offline.directory)), expect=3)["findings"]
    assert ("migrations/versions/0009_later.py", 11) == (found["path"], found["line"])
    assert ["0009"] == [r for r in lint(offline, "--since", both[0], expect=3)["revisions"] if r not in both]
    assert [] == lint(offline, "--since", "heads", expect=2).get("revisions", [])
    for unknown in ("nope", "nope.py", str(offline.directory / "migrations" / "env.py")):
        assert "EC103" == lint(offline, unknown, expect=2)["error"]["code"]


def test_a_history_without_pairs_is_judged_whole(bare: Project) -> None:
    """Before the first pair there is nothing else to judge."""
    assert ["0001"] == lint(bare)["revisions"]


def test_it_is_quick_to_say_that_there_is_no_project(tmp_path: Path) -> None:
    """Exit code 2 and what to type."""
    done = subprocess.run(
        [sys.executable, "-m", "expandcontract", "lint"],
        cwd=tmp_path,
        env={key: value for key, value in os.environ.items() if key != "EC_DATABASE"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 2 == done.returncode
    assert "next: ec init" in done.stderr


def test_an_expand_is_refused_while_lint_finds_an_error(project: Project) -> None:
    """The gate names code, line and command; once a comment gives a reason, the same file passes."""
    (path,) = (project.directory / "migrations" / "versions").glob(f"*_{CHANGE}_expand.py")
    drop = '    op.drop_column("users", "nick")\n'
    source = path.read_text(encoding="utf-8")
    path.write_text(source.replace("    op.begin_change", f"{drop}    op.begin_change"), encoding="utf-8")
    gates: Any = project.document("gate", CHANGE, "expand", expect=3)["gates"]
    (shut,) = [gate for gate in gates if gate["state"] != "open"]
    assert ("lint", "EC322", f"ec lint {CHANGE}") == (shut["gate"], shut["code"], shut["next"])
    said = project.ec("advance", CHANGE, expect=3)
    assert f"EC201 drops users.nick in an expand (migrations/versions/{path.name}:" in said
    assert f"next: ec lint {CHANGE}" in said
    reason = "    # ec: ignore EC201 because nobody reads it\n"
    path.write_text(path.read_text(encoding="utf-8").replace(drop, reason + drop), encoding="utf-8")
    project.ec("advance", CHANGE)
    assert "expanded" == project.phase()
