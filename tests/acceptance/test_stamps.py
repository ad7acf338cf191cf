"""A stamp moves no phase, in no direction: ec refuses, says what to type, and after that goes on to the real end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from collections.abc import Iterable

REFUSED, FAILED = 3, 255
COLUMNS = """SELECT string_agg(column_name, ',' ORDER BY column_name) FROM information_schema.columns
    WHERE table_name = 'users' AND column_name LIKE '%%_name'"""


def _mended(project: Project, said: str) -> None:
    """Type what the refusal says, as it stands."""
    found = re.search(r"next: alembic (stamp --purge [\w ]+), then the same command again", said)
    assert found is not None, said
    project.run("alembic", *found[1].split())


def _columns(project: Project) -> Iterable[object]:
    return project.sql(COLUMNS.replace("%%", "%"))[0]


def test_stamped_heads_and_an_expired_window(project: Project) -> None:
    """The contract is refused as long as it is only stamped; then the old column is really gone."""
    project.to("cut_over")
    versions = project.sql("SELECT version_num FROM alembic_version")
    project.run("alembic", "stamp", "heads")
    project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    project.ec("deploy", "green", "v3")
    said = project.ec("advance", CHANGE, expect=REFUSED)
    assert f"alembic_version has the contract of {CHANGE}" in said
    assert f"and {CHANGE} is cut_over: a stamp moves no phase" in said
    assert [("cut_over", None)] == project.sql("SELECT phase, move FROM expandcontract.change")
    assert ("display_name,full_name",) == _columns(project)
    _mended(project, said)
    assert versions == project.sql("SELECT version_num FROM alembic_version")
    project.ec("advance", CHANGE)
    assert ("contracted", ("display_name",)) == (project.phase(), _columns(project))


def test_stamped_heads_and_nothing_run(project: Project) -> None:
    """The expand is refused as long as it is only stamped; then the new column is really there."""
    project.run("alembic", "stamp", "heads")
    said = project.ec("advance", CHANGE, expect=REFUSED)
    assert f"alembic_version has the expand of {CHANGE}" in said
    assert ("full_name",) == _columns(project)
    _mended(project, said)
    project.ec("advance", CHANGE)
    assert ("expanded", ("display_name,full_name",)) == (project.phase(), _columns(project))


@pytest.mark.parametrize("target", ["0001", "base"])
def test_stamped_back(project: Project, target: str) -> None:
    """Neither on nor back while the version table lacks the expand, nor by plain Alembic; then both go as ever."""
    project.to("expanded")
    project.run("alembic", "stamp", "--purge", target)
    for command in (("advance", CHANGE, "--release", "v2"), ("rollback", CHANGE)):
        said = project.ec(*command, expect=REFUSED)
        assert f"alembic_version lacks the expand of {CHANGE}" in said
        assert [("expanded", None)] == project.sql("SELECT phase, move FROM expandcontract.change")
    plain = project.run("alembic", "upgrade", "expand@head", expect=FAILED)
    assert f"{CHANGE} is expanded: its expand was run, and alembic_version does not say so; nothing was run" in plain
    assert "Traceback" not in plain
    _mended(project, said)
    project.ec("rollback", CHANGE)
    assert ("planned", ("full_name",)) == (project.phase(), _columns(project))
    project.ec("advance", CHANGE)
    assert "expanded" == project.phase()


def test_stamped_back_after_the_contract(project: Project) -> None:
    """What a contract removed stays removed: plain Alembic does not add it again."""
    project.to("cut_over")
    project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    project.ec("deploy", "green", "v3")
    project.ec("advance", CHANGE)
    project.run("alembic", "stamp", "--purge", "0001")
    plain = project.run("alembic", "upgrade", "heads", expect=FAILED)
    assert f"{CHANGE} is contracted" in plain
    assert ("display_name",) == _columns(project)
    _mended(project, project.ec("gate", CHANGE, "expand", expect=REFUSED))
    project.run("alembic", "upgrade", "heads")
    project.ec("new", "rename-column", "users", "nick", "handle")
    project.ec("advance", "users_nick_to_handle")


def test_an_environment_without_the_guard(project: Project) -> None:
    """Nothing is run where no phase would be recorded; ``ec init`` puts the guard back."""
    env = project.directory / "migrations" / "env.py"
    source = env.read_text(encoding="utf-8")
    env.write_text(source.replace("guard(context)", "pass"), encoding="utf-8")
    said = project.ec("advance", CHANGE, expect=2)
    assert "env.py does not call the guard" in said
    assert "next: ec init" in said
    assert [] == project.sql("SELECT 1 FROM expandcontract.change")
    assert ("full_name",) == _columns(project)
    project.ec("init")
    project.ec("advance", CHANGE)
    env.write_text(source.replace("guard(context)", "pass"), encoding="utf-8")
    project.ec("rollback", CHANGE, expect=2)
    assert [("expanded", None)] == project.sql("SELECT phase, move FROM expandcontract.change")
    env.write_text(source.replace("guard(context)", "raise RuntimeError('no vault')"), encoding="utf-8")
    assert "env.py fails: RuntimeError: no vault" in project.ec("rollback", CHANGE, expect=2)
