"""A whole move, foretold before anything is run, is what the server then does, statement by statement."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import DBAPIError

from expandcontract.core.effect import differences
from expandcontract.core.mapping import Mapping
from expandcontract.core.shape import Shape
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.locks import observe, predict
from tests.integration.locks.moves import MOVES, Scene

if TYPE_CHECKING:
    from sqlalchemy import Connection


def _foretold_is_seen(connection: Connection, scene: Scene) -> None:
    connection.exec_driver_sql(scene.given.replace("%", "%%"))
    connection.commit()
    predicted = predict(connection, scene.move)
    connection.rollback()
    found = {}
    for statement, effect in zip(scene.move, predicted, strict=True):
        observed = observe(connection, statement)
        connection.commit()
        found[statement] = (*differences(effect, observed), *(["unknown"] if not effect.known else []))
    assert {} == {statement: wrong for statement, wrong in found.items() if wrong}
    assert [] == [effect.statement for effect in predicted if effect.assumed]


@pytest.mark.parametrize("scene", [pytest.param(scene, id=scene.name) for scene in MOVES])
def test_a_move(database: str, scene: Scene, request: pytest.FixtureRequest) -> None:
    """Statements that name what earlier ones made, in any schema, by any name, are foretold before the first runs."""
    if request.config.getoption("--pg") < scene.since:
        pytest.skip(f"PostgreSQL {scene.since}")
    with connect(parse(database), command="test") as connection:
        _foretold_is_seen(connection, scene)


def _shape(table: str) -> str:
    mapping = Mapping(table, forward={"b": "a"}, reverse={"a": "b"})
    return json.dumps(Shape(mappings=(mapping,)).document())


def test_the_ledgers_functions(ledger_database: str) -> None:
    """Beginning and ending a change, plain and on partitions, takes the locks that are foretold for it."""
    begin = "SELECT expandcontract.begin_change(CAST('{0}' AS text), CAST('mapped' AS text), CAST('{1}' AS jsonb))"
    scene = Scene(
        "ledger",
        "CREATE TABLE t (id int PRIMARY KEY, a text, b text);"
        "CREATE TABLE p (id int PRIMARY KEY, a text, b text) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);"
        "UPDATE expandcontract.installation SET development = true",
        (
            begin.format("one", _shape("t")),
            begin.format("two", _shape("p")),
            "SELECT expandcontract.sync_table('public', 't')",
            "SELECT expandcontract.assert_contract('one')",
            "SELECT expandcontract.end_change('one')",
            "SELECT expandcontract.end_change('two')",
        ),
    )
    with connect(parse(ledger_database), command="test") as connection:
        _foretold_is_seen(connection, scene)


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
