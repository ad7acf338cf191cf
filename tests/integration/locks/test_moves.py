"""A whole move, foretold before anything is run, is what the server then does, statement by statement."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from expandcontract.pg.connect import connect, parse
from expandcontract.pg.locks import observe, predict
from tests.integration.locks.moves import MOVES, Scene
from tests.integration.locks.seen import wrong


@pytest.mark.parametrize("scene", [pytest.param(scene, id=scene.name) for scene in MOVES])
def test_a_move(database: str, scene: Scene, request: pytest.FixtureRequest) -> None:
    """Statements that name what earlier ones made, in any schema, by any name, are foretold before the first runs."""
    if request.config.getoption("--pg") < scene.since:
        pytest.skip(f"what {scene.name} does needs PostgreSQL {scene.since}")
    with connect(parse(database), command="test") as connection:
        assert "" == wrong(connection, scene)


def test_predicting_locks_nothing(database: str) -> None:
    """While another session holds a table in ACCESS EXCLUSIVE mode, a prediction about it answers."""
    with (
        connect(parse(database), command="test") as holder,
        connect(parse(database), command="test") as connection,
    ):
        holder.exec_driver_sql("CREATE TABLE t (id int PRIMARY KEY, v varchar(20))")
        holder.commit()
        holder.exec_driver_sql("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        (effect,) = predict(connection, "ALTER TABLE t ALTER COLUMN v TYPE text")
        assert ("change type, no rewrite", False) == (effect.form, effect.assumed)


def test_a_type_that_a_view_holds(database: str) -> None:
    """A change of type that a view forbids is foretold as refused, in the words with which the server refuses it."""
    with connect(parse(database), command="test") as connection:
        connection.exec_driver_sql("CREATE TABLE t (v text); CREATE VIEW w AS SELECT v FROM t")
        (effect,) = predict(connection, "ALTER TABLE t ALTER COLUMN v TYPE varchar")
        with pytest.raises(DBAPIError, match=effect.refused):
            observe(connection, "ALTER TABLE t ALTER COLUMN v TYPE varchar")
    assert effect.refused
