"""Names that change: what stands over a column, a constraint or an index is told by its new name from then on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.pg.locks.rules import proof
from expandcontract.pg.locks.rules.target import target

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.pg.locks.rules.target import Target
    from expandcontract.pg.locks.world import Name, World

BETWEEN = "expandcontract_traded"
COLUMNS = frozenset({"keys", "including", "fk_attrs"})
"""Where a constraint's tree lists columns of its own table."""
BACKED = frozenset("pux")
"""Kinds of constraints that have an index of the same name."""


def column(at: Target, old: str, new: str) -> None:
    """A column of a table, and of its partitions and children, has another name."""
    for name in (at.name, *at.leaves):
        relation = at.world.need(name)
        relation.rename_column(old, new)
        for key in relation.keys.values():
            key.node = _spelled(proof.tree(key), old, new)


def _spelled(node: Any, old: str, new: str) -> Any:
    """A constraint's tree, over a column by its new name."""
    match node:
        case {"column_ref": {"fields": [*before, {"string": {"sval": name}}]}} if name == old:
            return {"column_ref": {"fields": [*before, {"string": {"sval": new}}]}}
        case dict():
            return {
                word: [{"string": {"sval": new}} if one == {"string": {"sval": old}} else one for one in value]
                if word in COLUMNS
                else _spelled(value, old, new)
                for word, value in node.items()
            }
        case list():
            return [_spelled(item, old, new) for item in node]
        case _:
            return node


def constraint(at: Target, old: str, new: str) -> None:
    """A constraint has another name, and with it the index behind it."""
    for name in (at.name, *at.leaves):
        keys = at.world.need(name).keys
        if old in keys:
            keys[new] = keys.pop(old)
    if new in at.relation.keys and at.relation.keys[new].kind in BACKED:
        at.world.rename((at.name[0], old), (at.name[0], new))


def relation(world: World, old: Name, new: Name) -> None:
    """A table, view, sequence or index has another name; with an index goes the constraint that it is behind."""
    table = world.need(old).table
    if table is not None and old[1] in (keys := world.need(table).keys) and keys[old[1]].kind in BACKED:
        constraint(target(world, table), old[1], new[1])
    else:
        world.rename(old, new)


def trade(rename: Callable[[str, str], None], one: str, other: str) -> None:
    """Two things give each other their names, as ``rename`` renames one."""
    for old, new in ((one, BETWEEN), (other, one), (BETWEEN, other)):
        rename(old, new)
