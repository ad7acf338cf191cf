"""The server-side functions of the ledger: what each does to the tables that its change maps.

Read from ``ledger/sql``; a test calls each and compares. Their locks on the ledger's own tables are not told: no
application uses these.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

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
    pieces: list[Piece] = []
    match function, arguments:
        case "begin_change", [str(change), str(), str(shape)]:
            pieces = _begun(world, change, json.loads(shape))
        case "hold", [str(), str(shape)]:
            pieces = _held(world, _tables(json.loads(shape), "holds"))
        case "sync", [str(shape)]:
            for at in _tables(json.loads(shape), "mappings"):
                pieces += _synced(world, at, attached=_attached(world, at))
        case "sync_table", [str(schema), str(table)]:
            pieces = _synced(world, (schema, table), attached=_attached(world, (schema, table)))
        case "end_change", [str(change)]:
            pieces = _ended(world, change)
        case "reattach", [str(change)]:
            places = tuple(name for name, _ in _mapped(world, change))
            pieces = _held(world, _asked(world, "held", change) or places)
            pieces += [piece for at in places for piece in _synced(world, at, attached=True)]
        case "fill_straight", [str(change)]:
            pieces = [target(world, name).piece("update") for name, _ in _mapped(world, change)]
        case _:
            pieces = _traded(function, arguments, world)
    return pieces or [Piece(form="select")]


def _traded(function: str, arguments: list[Any], world: World) -> list[Piece]:
    """What the functions of a swap do."""
    match function, arguments:
        case "trade_columns", [str(schema), str(table), *_]:
            return [target(world, (schema, table)).piece("rename column")]
        case "trade_constraints", [str(schema), str(table), *_]:
            return [target(world, (schema, table)).piece("rename constraint")]
        case "swap", [str(change)]:
            return [piece for at, _ in _mapped(world, change) for piece in _synced(world, at, attached=True)]
        case _:
            return [Piece(form="select" if function in LEDGER_ONLY else "unknown")]


def _tables(shape: dict[str, Any], part: str) -> tuple[Name, ...]:
    return tuple((str(found["schema"]), str(found["table"])) for found in shape[part])


def _begun(world: World, change: str, shape: dict[str, Any]) -> list[Piece]:
    places = world.mapped[change] = _tables(shape, "mappings")
    synced = [piece for at in places for piece in _synced(world, at, attached=True)]
    return [*_held(world, _tables(shape, "holds")), *synced]


def _held(world: World, names: tuple[Name, ...]) -> list[Piece]:
    assumed = not all(world.need(name).known for name in names)
    return [Piece(form="create view", roles={"table": names}, assumed=assumed)] if names else []


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
    if _begun_here(world, name):
        return True
    if not _has_ledger(world):
        return None
    return bool(_rows(world, "mapping_table", schema=name[0], name=name[1]))


def _begun_here(world: World, name: Name) -> bool:
    return any(name in names for names in world.mapped.values())


def _ended(world: World, change: str) -> list[Piece]:
    mapped = _mapped(world, change)
    world.mapped.pop(change, None)
    if mapped == [(UNTOLD, 0)]:
        return [target(world, UNTOLD).piece("drop trigger", assumed=True)]
    return [
        piece
        for name, others in mapped
        for piece in _synced(world, name, attached=others > 0 or _begun_here(world, name))
    ]


def _mapped(world: World, change: str) -> list[tuple[Name, int]]:
    """The tables that a change maps, and how many other changes the ledger has on each."""
    if change in world.mapped:
        return [(name, 0) for name in world.mapped[change]]
    if not _has_ledger(world):
        return [(UNTOLD, 0)]
    return [((row["schema"], row["name"]), int(row["others"])) for row in _rows(world, "mapped", name=change)]


def _asked(world: World, query: str, change: str) -> tuple[Name, ...]:
    if not _has_ledger(world):
        return ()
    return tuple((row["schema"], row["name"]) for row in _rows(world, query, name=change))


def _has_ledger(world: World) -> bool:
    source = world.source
    return isinstance(source, Catalogue) and bool(source.rows("has_ledger")[0]["found"])


def _rows(world: World, query: str, **values: object) -> list[Any]:
    source = world.source
    assert isinstance(source, Catalogue)  # noqa: S101  # the callers looked
    return source.rows(query, **values)
