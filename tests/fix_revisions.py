"""Revision files written for a test, and what is recorded of them; no database."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.effect import Effect, Lock, LockMode
from expandcontract.core.revision import Half, Revision
from expandcontract.revisions.project import Project
from expandcontract.revisions.record import revision

if TYPE_CHECKING:
    from pathlib import Path

HEAD = '''"""An example."""

import sqlalchemy as sa
from alembic import op
from expandcontract import Change, Mapping

revision = "abc1"
down_revision = None
branch_labels = None
depends_on = None
'''
PAIR = """
change = Change(
    "users_name",
    mapping=Mapping("users", forward={"display_name": "full_name"}, reverse={"full_name": "display_name"}),
)
"""
OTHER_HALF = """
def upgrade():
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.begin_change(change)
"""
DOWN = """

def downgrade():
    op.end_change(change)
"""


class Written:
    """An Alembic environment whose revisions are written by the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "migrations" / "versions").mkdir(parents=True)
        (folder / "alembic.ini").write_text(f"[alembic]\nscript_location = {folder}/migrations\n", encoding="utf-8")

    def write(self, name: str, text: str) -> Path:
        """A file among the revisions."""
        path = self.folder / "migrations" / "versions" / f"{name}.py"
        path.write_text(text, encoding="utf-8")
        return path

    def record(self, half: Half | None, source: str) -> Revision:
        """What is recorded of a revision with these functions; its pair renames ``users.full_name``."""
        text = HEAD + ('\nchange = "users_name"\n' if half is Half.CONTRACT else PAIR if half else "") + f"\n\n{source}"
        if half is Half.CONTRACT:
            self.write("other", HEAD.replace("abc1", "abc0") + PAIR + OTHER_HALF + DOWN)
            text = text.replace("depends_on = None", 'depends_on = "abc0"')
        self.write("example", text)
        project = Project.open(self.folder / "alembic.ini")
        script = project.scripts.get_revision("abc1")
        change = project.pairs()[-1].change if half else None
        return revision(script, "versions/example.py", change)

    def line(self, text: str) -> int:
        """The line of the example that holds ``text``, from 1."""
        rows = (self.folder / "migrations" / "versions" / "example.py").read_text(encoding="utf-8").splitlines()
        return next(number for number, row in enumerate(rows, 1) if text in row)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """An Alembic environment without revisions."""
    return Written(tmp_path)


def effect(sql: str, mode: LockMode, *relations: str, rewrites: str = "", scans: str = "") -> Effect:
    """An effect as a prediction gives it."""
    return Effect(
        statement=sql,
        form="by hand",
        locks=tuple(Lock(relation=relation, mode=mode) for relation in relations),
        rewrites=frozenset({rewrites} - {""}),
        scans=frozenset({scans} - {""}),
    )


def by_hand(sql: str) -> tuple[Effect, ...]:
    """The effects of the statements in the rules' examples, as measured on PostgreSQL 15, 16 and 18."""
    table = re.search(r"TABLE (?:ONLY )?(\w+)", sql)
    name = f"public.{table[1]}" if table else ""
    if "gen_random_uuid" in sql and "ADD COLUMN" in sql:
        return (effect(sql, LockMode.ACCESS_EXCLUSIVE, name, rewrites=name),)
    if "ATTACH PARTITION" in sql:
        return (effect(sql, LockMode.ACCESS_EXCLUSIVE, "public.events_2026", scans="public.events_2026"),)
    if "VALIDATE" in sql:
        return (effect(sql, LockMode.SHARE_UPDATE_EXCLUSIVE, name, scans=name),)
    if sql.startswith("ALTER TABLE"):
        return (effect(sql, LockMode.ACCESS_EXCLUSIVE, name),)
    return ()


def with_effects(found: Revision) -> Revision:
    """The revision as it is judged once effects are known."""
    return replace(found, statements=tuple(replace(one, effects=by_hand(one.sql)) for one in found.statements))
