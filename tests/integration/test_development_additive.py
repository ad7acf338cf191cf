"""On a development database pairs run straight through, up and down, as ordinary Alembic."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic import command

from tests.compat.drive import REVISION, Drive
from tests.integration.test_written_additive import CASES

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer
    from tests.compat.drive import Case
    from tests.fix_project import Project


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.recipe not in {"change-enum", "sql"}],
    ids=lambda case: f"{case.recipe}:{case.name}",
)
def test_up_and_down_and_up(case: Case, empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain ``alembic`` takes the schema up, down to where it was, and up to the same again."""
    monkeypatch.chdir(empty.directory)
    drive = Drive(case, empty, server)
    list(drive.runner.init(development=True))
    versions = empty.directory / "migrations" / "versions"
    (versions / "0001_tables.py").write_text(REVISION.format(setup=case.setup), encoding="utf-8")
    config = drive.config(empty.database)
    command.upgrade(config, "head")
    drive.runner.new(case.recipe, name=case.name, **case.arguments)
    before = drive.dump()
    command.upgrade(config, "heads")
    above = drive.dump()
    assert before != above
    command.downgrade(config, "0001")
    assert before == drive.dump()
    command.upgrade(config, "heads")
    assert above == drive.dump()
