"""What the repository itself holds works as written: its migrations, and the commands of its how-to guides."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

TOP = Path(__file__).parents[2]


COLUMNS = "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'users' ORDER BY 1"


def test_the_worked_example_on_an_empty_database(database: str) -> None:
    """``alembic upgrade heads`` runs the pair straight through; what it dropped is not brought back by a downgrade."""
    here = Project(TOP, database)
    here.run("alembic", "upgrade", "heads")
    assert ["created_at", "display_name", "email", "id"] == [name for (name,) in here.sql(COLUMNS)]
    assert "contracted" == here.phase()
    said = here.run("alembic", "downgrade", "base", expect=255)
    assert f"{CHANGE} is contracted: what a contract dropped cannot be brought back; nothing was run" in said


def test_the_worked_example_on_a_development_database(project: Project) -> None:
    """Where ``ec init --development`` said so, ``alembic downgrade base`` takes all of it back."""
    project.sql("DROP SCHEMA expandcontract CASCADE; DROP TABLE users, alembic_version")
    project.ec("init", "--development")
    project.run("alembic", "upgrade", "heads")
    assert "display_name" in [name for (name,) in project.sql(COLUMNS)]
    project.run("alembic", "downgrade", "base")
    assert [] == project.sql(COLUMNS)


def _blocks(page: str) -> Iterator[list[str]]:
    text = (TOP / "docs" / page).read_text(encoding="utf-8")
    for language, block in re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE):
        if not language:
            yield [line.strip() for line in block.splitlines() if line.strip()]


def _run(project: Project, lines: list[str]) -> None:
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "ec"
        project.ec(*arguments)


def test_the_first_change_as_the_guide_tells_it(empty: Project) -> None:
    """Every command of the guide, in its order, on a project that has a table and nothing else."""
    attach, record, write, lead, back, drop = _blocks("how-to/first-change.md")
    _run(empty, attach)
    empty.first()
    _run(empty, record)
    _run(empty, write)
    _run(empty, lead)
    assert empty.phase() == "cut_over"
    _run(empty, back)
    assert empty.phase() == "backfilled"
    empty.ec("advance", CHANGE, "--release", "v3")
    empty.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    _run(empty, drop)
    assert empty.phase() == "contracted"


MODELS = """
from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text

metadata = MetaData()
Table(
    "users", metadata, Column("id", BigInteger, primary_key=True), Column("full_name", Text, nullable=False),
    Column("nick", Text), Column("visits", Integer), Index("ix_users_full_name", "full_name"),
)
"""


def test_working_with_models_as_the_guide_tells_it(bare: Project) -> None:
    """Every command of the guide; while the change is open the models of either release are clean."""
    name, lead, more = _blocks("how-to/models.md")
    env, models = bare.directory / "migrations" / "env.py", bare.directory / "models.py"
    source = env.read_text(encoding="utf-8")
    assert "compare_server_default=True" in source
    given = "import runpy\n\ntarget_metadata = runpy.run_path('models.py')['metadata']"
    env.write_text(source.replace("target_metadata = None", given), encoding="utf-8")
    renamed = MODELS.replace("full_name", "display_name")
    models.write_text(renamed, encoding="utf-8")
    _run(bare, name)
    for line in lead:
        _run(bare, [line])
        for either in (MODELS, renamed):
            models.write_text(either, encoding="utf-8")
            assert "No new upgrade operations detected" in bare.run("alembic", "check")
    assert bare.phase("what_users_are_called") == "backfilled"
    models.write_text(renamed.replace("Index(", 'Column("age", Integer, nullable=False), Index('), encoding="utf-8")
    _run(bare, more)
    assert 4 == len(list((bare.directory / "migrations" / "versions").glob("*.py")))


def test_lint_in_ci_as_the_guide_tells_it(project: Project) -> None:
    """Every command of the guide, on a pair that ``ec new`` wrote, finds nothing; the hook runs the same command."""
    (by_hand,) = _blocks("how-to/lint-in-ci.md")
    _run(project, by_hand)
    hook = (TOP / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")
    assert ["ec lint"] == re.findall(r"^  entry: (.*)$", hook, re.MULTILINE)


def test_a_rehearsal_as_the_guide_tells_it(project: Project) -> None:
    """Every command of the guide, on a pair that ``ec new`` wrote; the change is planned as before."""
    for block in _blocks("how-to/rehearse.md"):
        _run(project, block)
    assert [] == project.sql("SELECT * FROM expandcontract.change")


def test_the_worked_example_passes_lint(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a database, also by the strictest measure."""
    monkeypatch.delenv("EC_DATABASE", raising=False)
    assert "2 revisions: clean" in Project(TOP, "").ec("lint", "--strict")
