"""Every placement gives its recipe the arguments that the recipe takes."""

from __future__ import annotations

from importlib import import_module
from inspect import signature
from typing import Any

import pytest
from alembic.operations import ops
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from expandcontract.cli.table import RECIPES
from expandcontract.errors import PairError
from expandcontract.revisions.placing import PLACES, wanted

METADATA = MetaData()
TEAM = Table("team", METADATA, Column("id", Integer, primary_key=True))
USERS = Table(
    "Us.ers",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("nick", String(20), CheckConstraint("nick <> ''"), nullable=False, server_default="it's", comment="c"),
    Column("team", ForeignKey("team.id", ondelete="CASCADE", onupdate="SET NULL")),
    UniqueConstraint("nick", postgresql_include=["team"], postgresql_nulls_not_distinct=True),
    Index("plain", "nick", "team", postgresql_include=["id"]),
    Index("odd", func.lower(text("nick")), postgresql_using="gin", postgresql_where=text("id > 7")),
    schema="Sales Dept",
)
(KEY,) = USERS.foreign_key_constraints
(UNIQUE,) = (found for found in USERS.constraints if isinstance(found, UniqueConstraint))
INDEXES = {str(index.name): index for index in USERS.indexes}


def _altered(**parts: Any) -> ops.AlterColumnOp:
    return ops.AlterColumnOp("Us.ers", "nick", schema="Sales Dept", existing_type=String(20), **parts)


OPERATIONS: list[Any] = [
    ops.CreateTableOp.from_table(USERS),
    ops.DropTableOp.from_table(USERS),
    ops.AddColumnOp.from_column(USERS.c.nick),
    ops.AddColumnOp.from_column(USERS.c.team),
    ops.DropColumnOp("Us.ers", "nick", schema="Sales Dept"),
    _altered(modify_type=Text()),
    _altered(modify_nullable=True),
    _altered(modify_nullable=False),
    _altered(modify_server_default=None),
    _altered(modify_server_default=text("now()")),
    _altered(modify_comment="c"),
    ops.CreateTableCommentOp("Us.ers", "c", schema="Sales Dept"),
    ops.DropTableCommentOp("Us.ers", schema="Sales Dept"),
    ops.CreateIndexOp.from_index(INDEXES["plain"]),
    ops.CreateIndexOp.from_index(INDEXES["odd"]),
    ops.DropIndexOp.from_index(INDEXES["odd"]),
    ops.CreateUniqueConstraintOp.from_constraint(UNIQUE),
    ops.CreateForeignKeyOp.from_constraint(KEY),
    ops.CreateCheckConstraintOp("positive", "Us.ers", text("id > 0"), schema="Sales Dept"),
    ops.DropConstraintOp.from_constraint(KEY),
    ops.DropConstraintOp("positive", "Us.ers", type_="check", schema="Sales Dept"),
]


def test_every_placement_is_looked_at() -> None:
    """No operation that has a row is left out of these tests."""
    rows = PLACES._registry  # noqa: SLF001  # Alembic's dispatcher lists them nowhere else
    assert {key[0] for key in rows} == {type(operation) for operation in OPERATIONS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: type(operation).__name__)
def test_arguments_bind_to_the_recipe(operation: Any) -> None:
    """``draft`` takes what is given, and every table is spelled so that it is found again."""
    found = wanted(operation)
    assert found
    for item in found:
        assert item.table.name == "Us.ers"
        assert item.table.schema == "Sales Dept"
        if item.recipe:
            assert item.recipe in RECIPES
            module = import_module(f"expandcontract.revisions.recipes.{item.recipe.replace('-', '_')}")
            signature(module.draft).bind(None, **item.arguments, name=None)
            if "table" in item.arguments:
                assert '"Us.ers"' in item.arguments["table"]


def test_one_operation_of_several_parts() -> None:
    """Each part has an item, the type first."""
    operation = _altered(
        modify_type=Text(), modify_nullable=False, modify_server_default="x", modify_comment="c", existing_nullable=True
    )
    found = wanted(operation)
    assert ["change-type", "change-default", "set-not-null", ""] == [item.recipe for item in found]
    alone = found[-1].operation
    assert (None, None, False, "c") == (
        alone.modify_type,
        alone.modify_nullable,
        alone.modify_server_default,
        alone.modify_comment,
    )


def test_expressions_as_create_index_has_them() -> None:
    """A key that is more than columns is given part by part, and says which columns it stands on."""
    (found,) = wanted(ops.CreateIndexOp.from_index(INDEXES["odd"]))
    assert ("lower(nick)",) == found.arguments["expression"]
    assert ("gin", "id > 7") == (found.arguments["method"], found.arguments["where"])
    assert frozenset({"nick", "id"}) == found.over


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        (ops.AddColumnOp("t", Column("n", Integer, Identity())), "t.n would give itself its value"),
        (ops.AddColumnOp("t", Column("n", Integer, primary_key=True)), "t.n is a new part of the primary key"),
        (ops.AlterColumnOp("t", "n", modify_server_default=Identity()), "t.n gives itself its value differently"),
        (ops.AlterColumnOp("t", "n", modify_name="m"), "t.n changes in a way without a recipe"),
        (
            ops.CreateIndexOp("ix", "t", ["n"], postgresql_with={"fillfactor": 50}),
            "index ix has options that no recipe carries: postgresql_with",
        ),
        (
            ops.CreateUniqueConstraintOp("u", "t", ["n"], deferrable=True),
            r"unique constraint over t \(n\) has options that no recipe carries: deferrable",
        ),
        (
            ops.CreateForeignKeyOp("f", "t", "o", ["n"], ["id"], deferrable=True, initially="DEFERRED"),
            r"foreign key of t \(n\) to o has options that no recipe carries: deferrable, initially",
        ),
        (ops.ExecuteSQLOp("SELECT 1"), "ExecuteSQLOp has no recipe"),
    ],
)
def test_what_no_recipe_carries_is_named(operation: Any, said: str) -> None:
    """It is refused, with what to do instead."""
    with pytest.raises(PairError, match=said) as caught:
        wanted(operation)
    assert caught.value.hint
