"""The server-side functions of the ledger: what each does to the tables that its change maps or moves columns between.

Read from ``ledger/sql``; a test calls each and compares. Their locks on the ledger's own tables are not told: no
application uses these.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from expandcontract.pg.locks.parse import Node, constant
from expandcontract.pg.locks.rules.swapping import traded
from expandcontract.pg.locks.rules.target import target
from expandcontract.pg.locks.table import UNTOLD, Piece
from expandcontract.pg.locks.world import Begun, Relation, View

if TYPE_CHECKING:
    from expandcontract.pg.locks.world import Name, World

PREFIX = "zz_expandcontract_"
MAPPED = frozenset({"insert", "update"})
MOVED = {
    "source": frozenset({"insert", "moved_insert", "moved_update"}),
    "target": frozenset({"insert", "moved_insert", "moved_update", "moved_delete"}),
}
LEDGER_ONLY = frozenset(
    {"assert_contract", "assert_retract", "revision_applied", "revision_reverted", "journal_append", "durable", "phase"}
)


def call(function: str, node: Node, world: World) -> list[Piece]:
    """What ``SELECT expandcontract.function(…)`` does."""
    arguments = [constant(found) for found in node.get("args", [])]
    pieces: list[Piece] = []
    match function, arguments:
        case "begin_change", [str(change), str(), str(shape)]:
            begun = world.changes()[change] = Begun(shape=json.loads(shape), attached=True)
            pieces = [*_held(world, change, begun.shape), *_sync(world, begun.shape)]
        case "hold", [str(change), str(shape)]:
            pieces = _held(world, change, json.loads(shape))
        case "sync", [str(shape)]:
            pieces = _sync(world, json.loads(shape))
        case "sync_table", [str(schema), str(table)]:
            pieces = _synced(world, (schema, table))
        case (("end_change" | "reattach" | "swap" | "fill_straight"), [str(change)]):
            pieces = _of_change(function, change, world)
        case "revision_reverted", [str(change), "contract"]:
            pieces = _of_change("reattach", change, world)
        case _ if function in LEDGER_ONLY:
            pieces = []
        case _:
            pieces = traded(function, arguments, world)
    return pieces or [Piece(form="select")]


def _of_change(function: str, change: str, world: World) -> list[Piece]:
    """What the functions do that are told a change's name only."""
    begun = world.changes().get(change)
    if begun is None:
        unknown = "update" if function == "fill_straight" else "drop trigger"
        return [] if world.has_ledger else [target(world, UNTOLD).piece(unknown, assumed=True)]
    if function == "fill_straight":
        return _filled(world, begun.shape)
    begun.attached = function != "end_change"
    hold = _held(world, change, begun.shape if begun.attached else {})
    return [*hold, *_sync(world, begun.shape)]


def _held(world: World, change: str, shape: dict[str, Any]) -> list[Piece]:
    """The view that keeps columns from being dropped is made anew, or goes where there is nothing to keep."""
    name = ("expandcontract", f"hold_{change}")
    world.remove(name)
    held = shape.get("holds", [])
    if not held:
        return []
    world.add(Relation(name=name, kind="v"))
    for item in held:
        world.need(_place(item)).views.append(View(name=name, columns=frozenset(item["columns"])))
    tables = tuple(_place(item) for item in held)
    return [Piece(form="create view", roles={"table": tables}, assumed=not all(world.need(t).known for t in tables))]


def _sync(world: World, shape: dict[str, Any]) -> list[Piece]:
    """The triggers of every table that has some for a shape; in the order in which the ledger goes through them."""
    places = [_place(item) for item in shape.get("mappings", [])]
    places += [_place(item[side]) for side in ("target", "source") for item in shape.get("transfers", [])]
    return [piece for place in dict.fromkeys(places) for piece in _synced(world, place)]


def _synced(world: World, name: Name) -> list[Piece]:
    """A table's triggers are made anew, and those that no open change needs are dropped."""
    at = target(world, name)
    wanted = _wanted(world, name)
    there = {trigger for trigger in at.relation.triggers if trigger.startswith(PREFIX)}
    at.relation.triggers = (at.relation.triggers - there) | wanted
    if not world.has_ledger and not wanted | there:
        return [at.piece("drop trigger", assumed=True), at.piece("create trigger", assumed=True)]
    pieces = [at.piece("drop trigger")] if there - wanted else []
    return [*pieces, at.piece("create trigger")] if wanted else pieces


def _wanted(world: World, name: Name) -> set[str]:
    """The triggers that a table has for all its open changes."""
    wanted: set[str] = set()
    for begun in world.changes().values():
        if not begun.attached:
            continue
        if any(_place(item) == name for item in begun.shape.get("mappings", [])):
            wanted.update(MAPPED)
        for item in begun.shape.get("transfers", []):
            for side, triggers in MOVED.items():
                wanted.update(triggers if _place(item[side]) == name else ())
    return {PREFIX + trigger for trigger in wanted}


def _filled(world: World, shape: dict[str, Any]) -> list[Piece]:
    """Every row that the row itself can fill is, in one statement a table."""
    moved = shape.get("transfers", [])
    written = [_place(item) for part in ("mappings", "fills") for item in shape.get(part, [])]
    written += [_place(item["target"]) for item in moved]
    read = [target(world, _place(item["source"])).piece("select") for item in moved]
    return [*(target(world, name).piece("update") for name in written), *read]


def _place(item: dict[str, Any]) -> Name:
    return str(item["schema"]), str(item["table"])
