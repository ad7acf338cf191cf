"""DROP of anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.pg.locks.names import listed
from expandcontract.pg.locks.parse import Node, names
from expandcontract.pg.locks.rules.constraints import dropped
from expandcontract.pg.locks.rules.dropping import references_gone, view_gone, views_gone
from expandcontract.pg.locks.rules.partitions import around
from expandcontract.pg.locks.rules.target import target
from expandcontract.pg.locks.source import Catalogue
from expandcontract.pg.locks.table import UNTOLD, Piece

if TYPE_CHECKING:
    from expandcontract.pg.locks.world import Name, World

ON_TABLE = {"OBJECT_TRIGGER": "trigger", "OBJECT_POLICY": "policy", "OBJECT_RULE": "rule"}
RELATIONS = frozenset({"OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE"})
CATALOGUED = {
    "OBJECT_FUNCTION": ("drop function", "pg_proc"),
    "OBJECT_PROCEDURE": ("drop function", "pg_proc"),
    "OBJECT_ROUTINE": ("drop function", "pg_proc"),
    "OBJECT_TYPE": ("drop type", "pg_type"),
    "OBJECT_DOMAIN": ("drop domain", "pg_type"),
    "OBJECT_SCHEMA": ("drop schema", "pg_namespace"),
}


def drop(node: Node, world: World) -> list[Piece]:
    """Every object of one DROP."""
    cascade = node.get("behavior") == "DROP_CASCADE"
    missing_ok = bool(node.get("missing_ok"))
    pieces: list[Piece] = []
    for found in node["objects"]:
        pieces += _one(node, found, world, cascade=cascade, missing_ok=missing_ok)
    return pieces


def _one(node: Node, found: Node, world: World, *, cascade: bool, missing_ok: bool) -> list[Piece]:
    kind = node["remove_type"]
    if kind in ON_TABLE:
        return [_of_table(ON_TABLE[kind], found, world, missing_ok=missing_ok)]
    if kind in CATALOGUED:
        return _catalogued(kind, found, world, cascade=cascade)
    if "list" not in found or kind not in RELATIONS | {"OBJECT_STATISTIC_EXT"}:
        return [Piece(form="unknown")]
    name = listed(world, found)
    if kind in RELATIONS and missing_ok and world.source.complete and world.get(name) is None:
        word = kind.removeprefix("OBJECT_").lower().replace("matview", "view")
        return [Piece(form=f"drop {word}, not there")]
    return _relation(node, name, world, cascade=cascade)


def _relation(node: Node, name: Name, world: World, *, cascade: bool) -> list[Piece]:
    pieces = [Piece(form="unknown")]
    match node["remove_type"]:
        case "OBJECT_TABLE":
            pieces = _table(name, world, cascade=cascade)
        case "OBJECT_VIEW" | "OBJECT_MATVIEW":
            pieces = view_gone(world, name)
        case "OBJECT_INDEX":
            pieces = [_index(name, world, concurrent=bool(node.get("concurrent")))]
        case "OBJECT_STATISTIC_EXT" if isinstance(world.source, Catalogue):
            rows = world.source.rows("statistics", schema=name[0], name=name[1], path=world.path)
            tables = tuple((str(row["schema"]), str(row["name"])) for row in rows)
            pieces = [Piece(form="drop statistics", roles={"table": tables})]
        case "OBJECT_SEQUENCE" if not cascade:
            world.remove(name)
            pieces = [Piece(form="drop sequence", roles={"sequence": (name,)})]
    return pieces


def _of_table(word: str, found: Node, world: World, *, missing_ok: bool) -> Piece:
    *written, name = names(found["list"]["items"])
    at = target(world, world.name(written[-2] if len(written) > 1 else "", written[-1]))
    there = name in at.relation.triggers or not at.certain
    at.relation.triggers.discard(name)
    if word == "trigger" and missing_ok and not there:
        return at.piece("drop trigger, not there")
    return at.piece(f"drop {word}")


def _table(name: Name, world: World, *, cascade: bool) -> list[Piece]:
    at = target(world, name)
    family = [at, *(target(world, leaf) for leaf in at.leaves)]
    if at.relation.parents and world.need(at.relation.parents[0]).kind == "p":
        parent = target(world, at.relation.parents[0])
        pieces = [
            Piece(
                form="drop partition",
                roles={**around(parent), "table": (name,), "leaf": at.leaves, "other": (), "referencing": ()},
                assumed=not at.certain,
            )
        ]
    else:
        pieces = [at.piece("drop table")]
    for each in family:
        pieces += [p for key in each.relation.keys.values() if key.kind == "f" for p in dropped(each, key)]
        pieces += [
            Piece(form="drop sequence", roles={"sequence": (column.sequence,)})
            for column in each.relation.columns.values()
            if column.sequence is not None
        ]
        if cascade:
            pieces += references_gone(each) + views_gone(each)
    for each in family:
        world.remove(each.name)
    return pieces


def _index(name: Name, world: World, *, concurrent: bool) -> Piece:
    index = world.need(name)
    world.remove(name)
    if index.table is None:
        form = "drop index concurrently" if concurrent else "drop index"
        return Piece(form=form, roles={"table": (UNTOLD,)}, assumed=True)
    at = target(world, index.table)
    at.relation.indexes.pop(name, None)
    return at.piece("drop index concurrently" if concurrent else "drop index")


def _catalogued(kind: str, found: Node, world: World, *, cascade: bool) -> list[Piece]:
    """What is no relation: it locks none, unless CASCADE takes parts of tables with it."""
    form, catalogue = CATALOGUED[kind]
    plain = [Piece(form=form)]
    if not cascade:
        return plain
    if not isinstance(world.source, Catalogue):
        return [Piece(form="unknown")]
    relations = {
        (row["schema"], row["name"])
        for oid in _oids(kind, found, world.source, world.path)
        for row in world.source.rows("doomed", classid=catalogue, oid=oid)
    }
    return plain + [Piece(form="drop by cascade", roles={"table": (name,)}) for name in sorted(relations)]


def _oids(kind: str, found: Node, source: Catalogue, path: list[str]) -> list[int]:
    written = names(
        found.get("object_with_args", {}).get("objname")
        or found.get("type_name", {}).get("names")
        or found.get("list", {}).get("items")
        or [found]
    )
    schemas = [written[0]] if len(written) > 1 else ["pg_catalog", *path]
    if kind == "OBJECT_SCHEMA":
        return [int(row["oid"]) for row in source.rows("schema_named", name=written[-1])]
    if kind in {"OBJECT_TYPE", "OBJECT_DOMAIN"}:
        oid = source.type_oid(written[-1], schemas)
        return [] if oid is None else [oid]
    return [int(row["oid"]) for row in source.rows("function_named", name=written[-1], schemas=schemas)]
