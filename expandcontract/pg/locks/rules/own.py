"""The server-side functions of the ledger: what each does to the table that its change maps.

Read from ``ledger/sql``; a test calls each and compares. Their locks on the ledger's own tables are not told: no
application uses these.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from expandcontract.pg.locks.parse import Node, constant
from expandcontract.pg.locks.rules.target import target
from expandcontract.pg.locks.source import Catalogue
from expandcontract.pg.locks.table import UNTOLD, Piece

if TYPE_CHECKING:
    from expandcontract.pg.locks.world import Name, World

TRIGGERS = ("zz_expandcontract_insert", "zz_expandcontract_update")
LEDGER_ONLY = frozenset(
    {"assert_contract", "assert_retract", "revision_applied", "revision_reverted", "journal_append", "durable", "phase"}
)


def call(function: str, node: Node, world: World) -> list[Piece]:
    """What ``SELECT expandcontract.function(…)`` does."""
    arguments = [constant(found) for found in node.get("args", [])]
    pieces = [Piece(form="select" if function in LEDGER_ONLY else "unknown")]
    match function, arguments:
        case "begin_change", [str(change), str(mapping)]:
            name = world.mapped[change] = _place(mapping)
            pieces = [_hold(world, name), *_synced(world, name, attached=True)]
        case "hold", [str(), str(mapping)]:
            pieces = [_hold(world, _place(mapping))]
        case "sync_table", [str(schema), str(table)]:
            pieces = _synced(world, (schema, table), attached=_attached(world, (schema, table)))
        case "end_change", [str(change)]:
            pieces = _ended(world, change)
        case "reattach", [str(change)]:
            name, _ = _mapped(world, change)
            pieces = [_hold(world, name), *_synced(world, name, attached=True)]
        case "fill_straight", [str(change)]:
            pieces = [target(world, _mapped(world, change)[0]).piece("update")]
    return pieces


def _place(mapping: str) -> Name:
    found = json.loads(mapping)
    return (str(found["schema"]), str(found["table"]))


def _hold(world: World, name: Name) -> Piece:
    return Piece(form="create view", roles={"table": (name,)}, assumed=not world.need(name).known)


def _synced(world: World, name: Name, *, attached: bool | None) -> list[Piece]:
    """The two triggers are made anew, or dropped; ``None`` where the ledger decides and is not known."""
    at = target(world, name)
    if attached is None:
        return [at.piece("drop trigger", assumed=True), at.piece("create trigger", assumed=True)]
    if attached:
        at.relation.triggers.update(TRIGGERS)
        return [at.piece("create trigger")]
    there = not at.certain or bool(at.relation.triggers & set(TRIGGERS))
    at.relation.triggers.difference_update(TRIGGERS)
    return [at.piece("drop trigger" if there else "drop trigger, not there")]


def _attached(world: World, name: Name) -> bool | None:
    """Whether any change is attached to the table; ``None`` where there is no ledger to ask."""
    source = world.source
    if name in world.mapped.values():
        return True
    if isinstance(source, Catalogue) and source.rows("has_ledger")[0]["found"]:
        return bool(source.rows("mapping_table", schema=name[0], name=name[1]))
    return None


def _ended(world: World, change: str) -> list[Piece]:
    name, others = _mapped(world, change)
    world.mapped.pop(change, None)
    if name == UNTOLD:
        return [target(world, name).piece("drop trigger", assumed=True)]
    still = others > 0 or name in world.mapped.values()
    return _synced(world, name, attached=still)


def _mapped(world: World, change: str) -> tuple[Name, int]:
    """The table that a change maps, and how many other changes the ledger has on it."""
    if change in world.mapped:
        return world.mapped[change], 0
    source = world.source
    if isinstance(source, Catalogue) and source.rows("has_ledger")[0]["found"]:
        for row in source.rows("mapped", name=change):
            return (row["schema"], row["name"]), int(row["others"])
    return UNTOLD, 0
