"""RENAME, SET SCHEMA, OWNER, COMMENT, GRANT, REINDEX and the other statements that name a relation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.effect import LockMode
from expandcontract.pg.locks.names import owner, range_var
from expandcontract.pg.locks.parse import Node, concurrently, constant, names, option
from expandcontract.pg.locks.rules import renaming
from expandcontract.pg.locks.rules.queries import through
from expandcontract.pg.locks.rules.target import target
from expandcontract.pg.locks.source import Catalogue
from expandcontract.pg.locks.table import UNTOLD, Piece

if TYPE_CHECKING:
    from expandcontract.pg.locks.world import Name, World

UNKNOWN = Piece(form="unknown")
NO_RELATION = {"OBJECT_TYPE": "rename type", "OBJECT_DOMAIN": "rename type", "OBJECT_FUNCTION": "alter function"}


def rename(node: Node, world: World) -> list[Piece]:
    """RENAME of a relation or of a part of one."""
    kind = node["rename_type"]
    if kind in NO_RELATION:
        return [Piece(form=NO_RELATION[kind])]
    if "relation" not in node:
        return [UNKNOWN]
    name = range_var(world, node["relation"])
    if node.get("missing_ok") and world.source.complete and world.get(name) is None:
        return [Piece(form="alter table, not there")]
    return [_rename_part(node, world, name)]


def _rename_part(node: Node, world: World, name: Name) -> Piece:
    at = target(world, name, family=bool(node["relation"].get("inh")))
    match node["rename_type"], at.relation.kind:
        case "OBJECT_COLUMN", "v" | "m":
            piece = Piece(form="rename view column", roles={"view": (name,)})
        case "OBJECT_COLUMN", _:
            piece = at.piece("rename column")
            renaming.column(target(world, name), node["subname"], node["newname"])
        case "OBJECT_TABCONSTRAINT", _:
            piece = at.piece("rename constraint")
            renaming.constraint(at, node["subname"], node["newname"])
        case "OBJECT_TRIGGER", _:
            piece = at.piece("rename trigger")
        case kind, _:
            piece = _rename_relation(kind, world, name, (name[0], node["newname"]))
    return piece


def _rename_relation(kind: str, world: World, name: Name, new: Name) -> Piece:
    at = target(world, name)
    forms = {
        "r": ("rename table", "table"),
        "p": ("rename table", "table"),
        "v": ("rename view", "view"),
        "m": ("rename view", "view"),
        "S": ("rename sequence", "sequence"),
        "i": ("rename index", "index"),
        "I": ("rename index", "index"),
    }
    by_word = {"OBJECT_INDEX": "i", "OBJECT_VIEW": "v", "OBJECT_MATVIEW": "m", "OBJECT_SEQUENCE": "S"}
    found = at.relation.kind if at.certain else by_word.get(kind, "r")
    if found not in forms:
        return UNKNOWN
    form, part = forms[found]
    piece = at.piece(form) if part == "table" else Piece(form=form, roles={part: (name,)}, assumed=not at.certain)
    renaming.relation(world, name, new)
    return piece


def set_schema(node: Node, world: World) -> list[Piece]:
    """SET SCHEMA of a table."""
    if node["object_type"] != "OBJECT_TABLE":
        return [UNKNOWN]
    name = range_var(world, node["relation"])
    at = target(world, name)
    owned = tuple(column.sequence for column in at.relation.columns.values() if column.sequence is not None)
    piece = at.piece("set schema", sequence=owned)
    for sequence in owned:
        world.rename(sequence, (node["newschema"], sequence[1]))
    world.rename(name, (node["newschema"], name[1]))
    return [piece]


def comment(node: Node, world: World) -> list[Piece]:
    """COMMENT ON."""
    forms = {
        "OBJECT_TABLE": ("comment on table", 0),
        "OBJECT_VIEW": ("comment on table", 0),
        "OBJECT_MATVIEW": ("comment on table", 0),
        "OBJECT_SEQUENCE": ("comment on table", 0),
        "OBJECT_COLUMN": ("comment on column", 1),
        "OBJECT_TABCONSTRAINT": ("comment on constraint", 1),
        "OBJECT_INDEX": ("comment on index", 0),
    }
    if node["objtype"] not in forms:
        return [Piece(form="create type") if node["objtype"] in {"OBJECT_TYPE", "OBJECT_FUNCTION"} else UNKNOWN]
    form, inside = forms[node["objtype"]]
    written = names(node["object"]["list"]["items"])
    written = written[: len(written) - inside]
    name = world.name(written[-2] if len(written) > 1 else "", written[-1])
    if form == "comment on index":
        return [Piece(form=form, roles={"index": (name,)})]
    return [target(world, name).piece(form)]


def grant(node: Node, world: World) -> list[Piece]:
    """GRANT and REVOKE on tables and sequences."""
    form = "grant" if node.get("is_grant") else "revoke"
    if node.get("targtype") != "ACL_TARGET_OBJECT":
        return [UNKNOWN]
    kind = node.get("objtype")
    if kind not in {"OBJECT_TABLE", "OBJECT_SEQUENCE"}:
        return [Piece(form="create type")]
    found = [range_var(world, item["range_var"]) for item in node["objects"]]
    if kind == "OBJECT_SEQUENCE":
        return [Piece(form=form, roles={"sequence": tuple(found)})]
    return [target(world, name).piece(form) for name in found]


def reindex(node: Node, world: World) -> list[Piece]:
    """REINDEX of an index or a table."""
    late = " concurrently" if concurrently(node) else ""
    if "relation" not in node:
        return [UNKNOWN]
    name = range_var(world, node["relation"])
    if node["kind"] == "REINDEX_OBJECT_TABLE":
        at = target(world, name)
        return [at.piece(f"reindex table{late}", index=tuple(at.relation.indexes))]
    table = world.need(name).table or UNTOLD
    return [target(world, table).piece(f"reindex index{late}", index=(name,))]


def truncate(node: Node, world: World) -> list[Piece]:
    """TRUNCATE [CASCADE]."""
    pieces = []
    for found in node["relations"]:
        at = target(world, range_var(world, found["range_var"]), family=bool(found["range_var"].get("inh")))
        seen = [at.name]
        cascade = node.get("behavior") == "DROP_CASCADE"
        for name in seen if cascade else ():
            seen += [one.table for one in world.need(name).referenced if one.table not in seen]
        pieces += [target(world, name).piece("truncate cascade" if cascade else "truncate") for name in seen]
    return pieces


def lock(node: Node, world: World) -> list[Piece]:
    """LOCK TABLE: the measured form is for SHARE; the mode that is asked for stands in the statement."""
    mode = LockMode(node["mode"])
    named = {range_var(world, found["range_var"]): bool(found["range_var"].get("inh")) for found in node["relations"]}
    return [
        target(world, name, family=named.get(name, True)).piece(f"lock table {mode}")
        for name in through(list(named), world)
    ]


def vacuum(node: Node, world: World) -> list[Piece]:
    """VACUUM and ANALYZE of named tables."""
    form = "analyze"
    if node.get("is_vacuumcmd"):
        form = "vacuum full" if option(node, "full") else "vacuum"
    rels = [found["vacuum_relation"]["relation"] for found in node.get("rels", [])]
    return [target(world, range_var(world, found)).piece(form) for found in rels] or [UNKNOWN]


def cluster(node: Node, world: World) -> list[Piece]:
    """CLUSTER of a table."""
    return [target(world, range_var(world, node["relation"])).piece("cluster")] if "relation" in node else [UNKNOWN]


def refresh(node: Node, world: World) -> list[Piece]:
    """REFRESH MATERIALIZED VIEW: the view; what its query reads is locked in ACCESS SHARE mode."""
    name = range_var(world, node["relation"])
    below = [found for found, relation in _above(world, name)]
    form = "refresh materialized view" + (" concurrently" if node.get("concurrent") else "")
    leaves = tuple(leaf for table in below for leaf in world.descendants(table))
    kind = "partitioned" if leaves and not node.get("concurrent") else "plain"
    return [Piece(form=form, kind=kind, roles={"view": (name,), "table": tuple(below), "leaf": leaves})]


def _above(world: World, name: Name) -> list[tuple[Name, str]]:
    if not isinstance(world.source, Catalogue):
        return []
    rows = world.source.rows("read_by", schema=name[0], name=name[1])
    return [((row["schema"], row["name"]), row["kind"]) for row in rows]


def alter_sequence(node: Node, world: World) -> list[Piece]:
    """ALTER SEQUENCE."""
    name = range_var(world, node["sequence"])
    table = owner(node, world)
    if table is not None:
        return [Piece(form="own sequence", roles={"sequence": (name,), "table": (table,)})]
    return [Piece(form="alter sequence", roles={"sequence": (name,)})]


def alter_domain(node: Node, world: World) -> list[Piece]:
    """ALTER DOMAIN: a new rule is checked in every table that uses the domain."""
    written = names(node["type_name"])
    form = "alter domain"
    match node["subtype"]:
        case "C":
            late = node["def"]["constraint"].get("skip_validation")
            form = "add domain check not valid" if late else "add domain check"
        case "V":
            form = "validate domain check"
        case "O":
            form = "set domain not null"
    if not isinstance(world.source, Catalogue):
        return [Piece(form="unknown" if form != "alter domain" else form)]
    oid = world.source.type_oid(written[-1], [written[0]] if len(written) > 1 else ["pg_catalog", *world.path])
    users = world.source.rows("domain_users", oid=oid or 0)
    tables = tuple((str(row["schema"]), str(row["name"])) for row in users)
    return [Piece(form=form, roles={"table": tables})]


def set_variable(node: Node, world: World) -> list[Piece]:
    """SET: the names and the clock that later statements mean."""
    values = [constant(found) for found in node.get("args", [])]
    match node.get("name"), node["kind"]:
        case "search_path", "VAR_SET_VALUE":
            world.path = [str(value) for value in values if value != "pg_catalog"]
        case "search_path", _:
            world.path = list(world.source.path)
        case "timezone", "VAR_SET_VALUE" if values and isinstance(values[0], str):
            world.zone = values[0]
        case "timezone", _:
            world.zone = world.source.zone
    return [Piece(form="set")]
