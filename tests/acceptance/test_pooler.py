"""Through a pooler one may ask, and not move."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fix_pooler import pooler
from tests.fix_project import CHANGE, Project

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer

REFUSED, USAGE = 3, 2


@pytest.mark.parametrize("drops", [False, True], ids=["refuses options", "drops options"])
def test_ask_and_do_not_move(project: Project, server: LocalServer, *, drops: bool) -> None:
    """Status and gates answer, parity included; a move ends with exit 2 before anything is begun, and says why."""
    project.ec("advance", CHANGE)
    with pooler(server.port, drops=drops) as between:
        pooled = Project(project.directory, between.address(project.database))
        assert "expanded ◉" in pooled.ec("status")
        assert "5000 rows differ" in pooled.ec("gate", CHANGE, "contract", expect=REFUSED)
        for command in (
            ("advance", CHANGE, "--by", "database"),
            ("rollback", CHANGE),
            ("deploy", "green", "v2"),
            ("init",),
        ):
            said = pooled.ec(*command, expect=USAGE)
            assert "is behind a pooler" in said
            assert "next: give ec the address of the server itself" in said
    assert [("expanded", None)] == project.sql("SELECT phase, move FROM expandcontract.change")
