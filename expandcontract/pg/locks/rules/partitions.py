"""Actions of ALTER TABLE on partitions and inheritance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.pg.locks.names import range_var
from expandcontract.pg.locks.rules import proof
from expandcontract.pg.locks.rules.target import Target, partitions, target
from expandcontract.pg.locks.table import Piece

if TYPE_CHECKING:
    from expandcontract.pg.locks.parse import Node
    from expandcontract.pg.locks.world import Name


def around(parent: Target) -> dict[str, tuple[Name, ...]]:
    """Who else a change of a partitioned table's partitions concerns: default partition and foreign keys, both ways."""
    others = tuple(key.other for key in parent.relation.keys.values() if key.other is not None)
    default = parent.relation.default_partition
    return {
        "parent": (parent.name,),
        "default partition": (default,) if default is not None else (),
        "other": others,
        "other leaf": tuple(leaf for other in others for leaf in partitions(parent.world, other)),
        "referencing": tuple(reference.table for reference in parent.relation.referenced),
    }


def attach(at: Target, command: Node) -> list[Piece]:
    """ATTACH PARTITION: the new partition is read whole unless a CHECK proves the bound, and so is the default.

    The server reasons over expressions; here only a CHECK that repeats the bound is taken for a proof. Where there is
    another, the scan is told, and told to be assumed.
    """
    partition = command["def"]["partition_cmd"]
    child = target(at.world, range_var(at.world, partition["name"]))
    proved = proof.in_bound(child.relation, at.relation.partition_key, partition["bound"])
    doubtful = not proved and any(key.kind == "c" and key.validated for key in child.relation.keys.values())
    beside = ", beside default" if at.relation.default_partition is not None else ""
    beside += ", proved by check" if proved else ""
    child.relation.parents.append(at.name)
    roles = {"table": (child.name,), "leaf": child.leaves, **around(at)}
    assumed = doubtful or not (at.certain and child.certain)
    suffixes = [beside, *(f", {word}" for word in _keys(at, child))]
    pieces = [
        Piece(form=f"attach partition{suffix}", kind=child.kind, assumed=assumed, roles=roles) for suffix in suffixes
    ]
    at.relation.children.append(child.name)
    if partition["bound"].get("is_default"):
        at.relation.default_partition = child.name
    return pieces


def _keys(at: Target, child: Target) -> list[str]:
    """What the parent's foreign keys, either way, add: one that the partition has already is not proved again."""
    own = {(key.other, key.columns) for key in child.relation.keys.values() if key.kind == "f" and key.validated}
    wanted = {(key.other, key.columns) for key in at.relation.keys.values() if key.kind == "f"}
    words = ["foreign key there already"] if wanted & own else []
    words += ["of a foreign key"] if wanted - own else []
    return words + (["referenced"] if at.relation.referenced else [])


def detach(at: Target, command: Node) -> list[Piece]:
    """DETACH PARTITION."""
    partition = command["def"]["partition_cmd"]
    child = range_var(at.world, partition["name"])
    at.relation.children = [found for found in at.relation.children if found != child]
    at.world.need(child).parents.clear()
    return [
        Piece(
            form="detach partition concurrently" if partition.get("concurrent") else "detach partition",
            assumed=not at.certain,
            roles={"table": (child,), "leaf": at.world.descendants(child), **around(at)},
        )
    ]


def inherit(at: Target, command: Node) -> list[Piece]:
    """INHERIT and NO INHERIT."""
    parent = target(at.world, range_var(at.world, command["def"]["range_var"]))
    adds = command["subtype"] == "AT_AddInherit"
    piece = at.piece("inherit" if adds else "no inherit", parent=(parent.name,))
    if adds:
        parent.relation.children.append(at.name)
        at.relation.parents.append(parent.name)
    else:
        parent.relation.children = [found for found in parent.relation.children if found != at.name]
        at.relation.parents = [found for found in at.relation.parents if found != parent.name]
    return [piece]


ACTIONS = {
    "AT_AttachPartition": attach,
    "AT_DetachPartition": detach,
    "AT_AddInherit": inherit,
    "AT_DropInherit": inherit,
}
