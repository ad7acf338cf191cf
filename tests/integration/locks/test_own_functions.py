"""What the ledger's server-side functions do to the tables of a change is foretold, whatever the change is."""

from __future__ import annotations

import json

import pytest

from expandcontract.core.mapping import Mapping
from expandcontract.core.shape import Hold, Shape
from expandcontract.core.transfer import Transfer
from expandcontract.pg.connect import connect, parse
from tests.integration.locks.moves import Scene
from tests.integration.locks.seen import wrong

STRAIGHT = "UPDATE expandcontract.installation SET development = true;"


def _call(function: str, *arguments: str) -> str:
    return f"SELECT expandcontract.{function}({', '.join(f'CAST($${a}$$ AS text)' for a in arguments)})"


def _begin(change: str, shape: Shape, kind: str = "mapped") -> str:
    document = json.dumps(shape.document())
    return _call("begin_change", change, kind).removesuffix(")") + f", CAST($${document}$$ AS jsonb))"


def _mapped(table: str, old: str = "a", new: str = "b") -> Shape:
    return Shape(mappings=(Mapping(table, forward={new: old}, reverse={old: new}),))


MOVED = Shape(
    transfers=(Transfer("t", "u", key={"t": "id"}, forward={"c": "c"}, reverse={"c": "c"}, create_missing=True),)
)
HELD = Shape(removes=(Hold("v", ("a",)),))
SCENES = (
    Scene(
        "mapped, plain and in partitions",
        "CREATE TABLE t (id int PRIMARY KEY, a text, b text);"
        "CREATE TABLE p (id int PRIMARY KEY, a text, b text) PARTITION BY RANGE (id);"
        "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);" + STRAIGHT,
        (
            _begin("one", _mapped("t")),
            _begin("two", _mapped("p")),
            _call("sync_table", "public", "t"),
            _call("fill_straight", "one"),
            _call("assert_contract", "one"),
            _call("end_change", "one"),
            _call("sync_table", "public", "t"),
            "ALTER TABLE t DROP COLUMN a",
            _call("end_change", "two"),
            _call("reattach", "two"),
            _call("end_change", "two"),
            "ALTER TABLE p DROP COLUMN a CASCADE",
        ),
    ),
    Scene(
        "moved between two tables, one of them mapped by another change; and a hold without triggers",
        "CREATE TABLE t (id int PRIMARY KEY, a text, b text, c int); CREATE TABLE v (a int);"
        "CREATE TABLE u (t int PRIMARY KEY, c int) PARTITION BY RANGE (t);"
        "CREATE TABLE u1 PARTITION OF u DEFAULT;" + STRAIGHT,
        (
            _begin("moved", MOVED),
            _begin("mapped", _mapped("t")),
            _begin("held", HELD),
            _call("fill_straight", "moved"),
            _call("end_change", "moved"),
            "ALTER TABLE t DROP COLUMN c CASCADE",
            _call("end_change", "mapped"),
            "ALTER TABLE u RENAME TO u2",
            _call("end_change", "held"),
            "DROP TABLE v CASCADE",
        ),
    ),
    Scene(
        "names, keys and numbers that are traded",
        "CREATE SEQUENCE s; CREATE TABLE t (a serial, id int DEFAULT nextval('s') CHECK (id > 0), b bigint, z bigint,"
        " CONSTRAINT pk PRIMARY KEY (a));"
        "CREATE TABLE i (a int GENERATED ALWAYS AS IDENTITY, b bigint NOT NULL);"
        "ALTER TABLE t ALTER COLUMN b SET NOT NULL; ALTER TABLE t ADD CONSTRAINT beside CHECK (z > 0);"
        "CREATE UNIQUE INDEX pk_beside ON t (b); CREATE INDEX ix ON t (id); CREATE INDEX ix_beside ON t (z);"
        "CREATE VIEW w AS SELECT a FROM i;" + STRAIGHT,
        (
            _begin("swapped", _mapped("t"), "swapped"),
            _call("trade_columns", "public", "t", "a", "b"),
            _call("move_numbering", "public", "t", "b", "a", "retype"),
            "ALTER TABLE t DROP CONSTRAINT pk",
            "ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY USING INDEX pk_beside",
            _call("swap", "swapped"),
            _call("trade_constraints", "public", "t", "t_id_check", "beside"),
            _call("trade_indexes", "public", "ix", "ix_beside"),
            "DROP INDEX ix",
            _call("move_numbering", "public", "t", "id", "z", "keep"),
            _call("trade_columns", "public", "i", "a", "b"),
            _call("move_numbering", "public", "i", "b", "a", "keep"),
            "ALTER TABLE i DROP COLUMN b CASCADE",
            "ALTER TABLE i DROP COLUMN a",
        ),
    ),
)


@pytest.mark.parametrize("scene", [pytest.param(scene, id=scene.name) for scene in SCENES])
def test_a_change(ledger_database: str, scene: Scene) -> None:
    """Beginning, filling, swapping and ending a change takes the locks that are foretold before it has begun."""
    with connect(parse(ledger_database), command="test") as connection:
        assert "" == wrong(connection, scene)
