"""What ``ec plan`` foretells of every statement of every recipe is what the server then does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.config.load import load
from expandcontract.core.effect import differences
from expandcontract.core.phase import Move
from expandcontract.core.plan import next_move
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.locks import observe, predict
from expandcontract.runner import planned
from expandcontract.runner.place import Place
from tests.compat.drive import Drive
from tests.compat.test_recipes import CASES

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer
    from tests.compat.drive import Case
    from tests.fix_project import Project

pytestmark = pytest.mark.slow
SHOWN = 100  # characters of a statement


def _wrong(drive: Drive, server: LocalServer) -> list[str]:
    """On a clone, the statements of the next move whose effect is not the one foretold, each with the difference."""
    state = drive.state()
    place = Place(load(drive.project.directory, database=drive.project.database), drive.project.directory)
    name = f"clone_{state.phase}_{drive.project.database.rsplit('/', 1)[1]}"
    with psycopg.connect(server.dsn(), autocommit=True) as owner:
        owner.execute(f"CREATE DATABASE {name} TEMPLATE {drive.project.database.rsplit('/', 1)[1]}")
    found: list[str] = []
    try:
        with connect(parse(server.dsn(name)), command="test") as connection:
            effects = predict(connection, planned.sql(place, connection, state, next_move(state)))
            connection.rollback()
            connection.exec_driver_sql("UPDATE expandcontract.installation SET development = true")
            if next_move(state) is Move.BACKFILL:  # the seal comes once the rows are filled
                connection.exec_driver_sql(f"SELECT expandcontract.fill_straight('{state.name}')")
            connection.commit()
            for effect in effects:
                seen = observe(connection, effect.statement)
                connection.commit()
                doubt = [word for word, real in (("unknown", not effect.known), ("assumed", effect.assumed)) if real]
                found += [f"{effect.statement[:SHOWN]}: {what}" for what in (*differences(effect, seen), *doubt)]
    finally:
        with psycopg.connect(server.dsn(), autocommit=True) as owner:
            owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_predicted_equals_observed(
    case: Case, empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lock, rewrite and scan of each statement of expand, seal, swap, rule and contract are foretold from the plan."""
    monkeypatch.chdir(empty.directory)
    drive = Drive(case, empty, server)
    drive.prepare()
    wrong: list[str] = []
    while not (state := drive.state()).ended:
        move = next_move(state)
        if move is not Move.DUAL_WRITE:
            wrong += [f"{move}: {what}" for what in _wrong(drive, server)]
        if move is Move.CONTRACT:
            break
        drive.advance()
    assert "" == "\n".join(wrong)
