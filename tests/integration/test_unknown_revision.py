"""A database that is ahead of the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.config.load import load
from expandcontract.errors import PairError
from expandcontract.pg.connect import connect, parse
from expandcontract.runner.place import Place
from expandcontract.runner.runner import Runner

if TYPE_CHECKING:
    from tests.fix_project import Project


def test_a_revision_that_the_project_lacks(empty: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named, with what to do; the code is the pair's."""
    monkeypatch.chdir(empty.directory)
    settings = load(empty.directory, database=empty.database)
    list(Runner(settings, empty.directory).init())
    empty.sql("CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY)")
    empty.sql("INSERT INTO alembic_version VALUES ('feedc0ffee11')")
    with connect(parse(empty.database), command="test") as connection, pytest.raises(PairError) as caught:
        Place(settings, empty.directory).project.applied(connection)
    assert "the database has revisions that this project has not: " in caught.value.message
    assert "feedc0ffee11" in caught.value.message
    assert ("EC105", "check out the project as it was when they were run") == (caught.value.code, caught.value.hint)
