"""``ec new auto``: what the models have and the database has not becomes pairs, and nothing is guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from pathlib import Path

USAGE = 2
HEAD = """
from sqlalchemy import (
    BigInteger, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text, UniqueConstraint, text
)

metadata = MetaData()
"""
AS_IT_IS = """
Table(
    "users", metadata, Column("id", BigInteger, primary_key=True), Column("full_name", Text, nullable=False),
    Column("nick", Text), Column("visits", Integer), Index("ix_users_full_name", "full_name"),
)
"""


@pytest.fixture
def modelled(bare: Project) -> Project:
    """The project whose ``env.py`` reads ``models.py``, which says what the database has."""
    env = bare.directory / "migrations" / "env.py"
    source = env.read_text(encoding="utf-8")
    given = "import runpy\n\ntarget_metadata = runpy.run_path('models.py')['metadata']"
    env.write_text(source.replace("target_metadata = None", given), encoding="utf-8")
    _models(bare, AS_IT_IS)
    return bare


def _models(project: Project, source: str) -> None:
    (project.directory / "models.py").write_text(HEAD + source, encoding="utf-8")


def _versions(project: Project) -> list[Path]:
    return sorted((project.directory / "migrations" / "versions").glob("*.py"))


def test_nothing_to_do(modelled: Project) -> None:
    """Where models and database agree, nothing is written."""
    before = _versions(modelled)
    assert "the models have nothing new" in modelled.ec("new", "auto", "-m", "nothing")
    assert before == _versions(modelled)


def test_a_rename_is_asked_about(modelled: Project) -> None:
    """A drop beside an addition is refused with the flags that answer; answered, it is a rename, index and all."""
    _models(modelled, AS_IT_IS.replace("full_name", "display_name"))
    before = _versions(modelled)
    said = modelled.ec("new", "auto", "-m", "names", expect=USAGE)
    assert "EC109: users.full_name is gone from the models, and users.display_name came: renamed, or dropped?" in said
    assert "--rename users.full_name=display_name or --separate users.full_name" in said
    assert before == _versions(modelled)
    wrong = modelled.ec("new", "auto", "-m", "names", "--rename", "users.full_name=other", expect=USAGE)
    assert "users.full_name cannot become other: the models add no other there" in wrong
    written = modelled.document("new", "auto", "-m", "Display name!", "--rename", "users.full_name=display_name")
    assert 2 == len(written["written"])  # type: ignore[arg-type]
    modelled.ec("advance", "display_name", "--to", "backfilled", "--by", "database")
    assert "No new upgrade operations detected" in modelled.run("alembic", "check")
    assert "the models have nothing new" in modelled.ec("new", "auto", "-m", "again")


def test_an_answer_to_no_question(modelled: Project) -> None:
    """An answer that names no difference is a mistake, and says what the differences are."""
    _models(modelled, AS_IT_IS.replace("full_name", "display_name"))
    said = modelled.ec("new", "auto", "-m", "x", "--separate", "users.nick", expect=USAGE)
    assert "users.nick is no difference between the models and the database" in said
    assert "users.display_name, users.full_name" in said


def test_a_new_table_is_one_additive_change(modelled: Project) -> None:
    """A table that came is one pair without a contract, with its indexes and its foreign keys."""
    more = """
Table(
    "orders", metadata, Column("id", BigInteger, primary_key=True), Column("of", ForeignKey("users.id"), index=True),
    Column("note", String(20), server_default=text("'none'"), comment='what "they" said'),
    UniqueConstraint("of", "note"),
)
"""
    _models(modelled, AS_IT_IS + more)
    written = modelled.document("new", "auto", "-m", "orders")
    assert 1 == len(written["written"])  # type: ignore[arg-type]
    modelled.ec("advance", "orders")
    assert "No new upgrade operations detected" in modelled.run("alembic", "check")
    modelled.ec("rollback", "orders")
    assert [(None,)] == modelled.sql("SELECT to_regclass('orders')")


def test_what_has_no_recipe_is_refused_by_name(modelled: Project) -> None:
    """An operation that no row places is named, and nothing of the run is written."""
    before = _versions(modelled)
    unique = AS_IT_IS.replace('Index("ix_users_full_name", "full_name")', 'Index("one_nick", "nick", unique=True)')
    _models(modelled, unique)
    said = modelled.ec("new", "auto", "-m", "x", expect=USAGE)
    assert "one_nick is a unique index, which is a rule that old releases can break" in said
    assert before == _versions(modelled)


def test_the_database_must_be_up_to_date(modelled: Project) -> None:
    """While a planned expand is not applied, models and database cannot be compared, and what to do is said."""
    modelled.ec("new", "rename-column", "users", "full_name", "display_name")
    said = modelled.ec("new", "auto", "-m", "x", expect=USAGE)
    assert "the database lacks revisions that the project has" in said
    assert CHANGE not in said
