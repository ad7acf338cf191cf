"""A constraint over all partitions takes in those that partitions have already: they are then not read again.

PostgreSQL compares all that the constraint says; one that is part of another's is not taken in a second time.
https://www.postgresql.org/docs/current/ddl-partitioning.html#DDL-PARTITIONING-DECLARATIVE-MAINTENANCE
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.pg.locks.parse import names
from expandcontract.pg.locks.rules import proof
from expandcontract.pg.locks.world import Unique

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from expandcontract.pg.locks.parse import Node
    from expandcontract.pg.locks.rules.target import Target
    from expandcontract.pg.locks.table import Piece
    from expandcontract.pg.locks.world import Index, Key, Name, Relation, World

SAID = ("fk_matchtype", "fk_upd_action", "fk_del_action", "fk_del_set_cols", "deferrable", "initdeferred")


def pieces(at: Target, whole: Piece, form: str, own: Callable[[Relation], Index | Key | None]) -> list[Piece]:
    """What is done to partitions without the constraint, and what to those that have it.

    Args:
        at: The partitioned table; on any other only ``whole`` is done.
        whole: What would be done if no partition had it.
        form: What is done where each has it.
        own: A partition's own that the new one takes in; ``None`` where it has none.
    """
    if at.relation.kind != "p" or not at.leaves:
        return [whole]
    bare: list[Name] = []
    beneath: list[Name] = []  # of one that has it: whatever is below has it too
    for leaf in at.leaves:
        if leaf in beneath:
            continue
        found = own(at.world.need(leaf))
        if found is None:
            bare.append(leaf)
        else:
            found.attached = True
            beneath += at.world.descendants(leaf)
    if len(bare) == len(at.leaves):
        return [whole]
    upper = tuple(leaf for leaf in at.leaves if leaf not in beneath)
    light = replace(whole, form=form, roles={**whole.roles, "leaf": upper, "leaf of a leaf": tuple(beneath)})
    return [replace(whole, roles={**whole.roles, "leaf": tuple(bare)}), light] if bare else [light]


def kept_unique(node: Node) -> Unique:
    """What a UNIQUE or PRIMARY KEY keeps unique."""
    nulls = bool(node.get("nulls_not_distinct"))
    return Unique(names(node.get("keys", [])), names(node.get("including", [])), nulls)


def own_unique(wanted: Unique, not_null: Iterable[str] = ()) -> Callable[[Relation], Index | None]:
    """Finds the index behind a partition's UNIQUE or PRIMARY KEY, where its columns ``not_null`` are that."""

    def found(part: Relation) -> Index | None:
        if not all(proof.not_null(part, column) for column in not_null):
            return None
        backed = (part.indexes.get((part.name[0], name)) for name, key in part.keys.items() if key.kind in "pu")
        return next((index for index in backed if index and index.unique == wanted and not index.attached), None)

    return found


def own_foreign(world: World, node: Node, other: Name) -> Callable[[Relation], Key | None]:
    """Finds a partition's proved foreign key that says the same as the one that ``node`` adds."""
    wanted = _said(world, node, other)

    def found(part: Relation) -> Key | None:
        keys = (key for key in part.keys.values() if key.other == other and key.validated and not key.attached)
        return next((key for key in keys if _said(world, proof.tree(key), other) == wanted), None)

    return found


def _said(world: World, node: Node, other: Name) -> tuple[object, ...]:
    """All that two foreign keys to one table are compared by."""
    return (
        names(node.get("fk_attrs", [])),
        names(node["pk_attrs"]) if "pk_attrs" in node else primary(world, other),
        *(node.get(word) for word in SAID),
    )


def primary(world: World, name: Name) -> tuple[str, ...]:
    """The columns of a table's primary key, in its order; empty where that is not known."""
    found = world.need(name)
    key = next((key for key, one in found.keys.items() if one.kind == "p"), "")
    index = found.indexes.get((name[0], key))
    return index.unique.columns if index is not None and index.unique is not None else ()
