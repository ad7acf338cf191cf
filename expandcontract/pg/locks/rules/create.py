"""CREATE TABLE, INDEX, VIEW, TRIGGER and the rest that stands on tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.pg.locks import defaults
from expandcontract.pg.locks.names import owner, range_var
from expandcontract.pg.locks.parse import Node, mentioned, names
from expandcontract.pg.locks.rules import columns as of_columns
from expandcontract.pg.locks.rules import constraints
from expandcontract.pg.locks.rules.partitions import around
from expandcontract.pg.locks.rules.queries import sources, through
from expandcontract.pg.locks.rules.target import target
from expandcontract.pg.locks.table import Piece
from expandcontract.pg.locks.world import Column, Index, Relation, Type, Unique, View

if TYPE_CHECKING:
    from expandcontract.pg.locks.world import Name, World

PERSISTENT = {"p", "u"}


def create_table(node: Node, world: World) -> list[Piece]:
    """CREATE TABLE, also as a partition or child, with the foreign keys in it."""
    name = _made(world, node["relation"])
    if node.get("if_not_exists") and world.get(name) is not None:
        return [Piece(form="create table, there already")]
    parents = [range_var(world, found["range_var"]) for found in node.get("inh_relations", [])]
    made = Relation(name=name, kind="p" if "partspec" in node else "r", parents=parents)
    pieces = [_below(world, parent, partition="partbound" in node) for parent in parents]
    world.add(made)
    for parent in parents:
        above = world.need(parent)
        above.children.append(name)
        made.columns.update(_copied(above))
    pieces += _elements(node, world, made)
    return pieces or [Piece(form="create table")]


def _made(world: World, node: Node) -> Name:
    if node.get("relpersistence") == "t":
        return ("pg_temp", node["relname"])
    return (node.get("schemaname") or (world.path[0] if world.path else "public"), node["relname"])


def _below(world: World, parent: Name, *, partition: bool) -> Piece:
    at = target(world, parent)
    if not partition:
        return at.piece("create table inherits")
    roles = {**around(at), "table": (parent,)}
    beside = " beside default" if at.relation.default_partition is not None else ""
    return Piece(
        form=f"create partition{beside}",
        kind="plain" if beside else "partitioned",
        roles=roles,
        assumed=not at.certain,
    )


def _elements(node: Node, world: World, made: Relation) -> list[Piece]:
    pieces = []
    at = target(world, made.name)
    for element in node.get("table_elts", []):
        match element:
            case {"table_like_clause": {"relation": like}}:
                original = target(world, range_var(world, like))
                made.columns.update(_copied(original.relation))
                pieces.append(original.piece("create table like"))
            case {"column_def": definition}:
                drawn = defaults.sequences(world, definition)
                pieces += [Piece(form="create table", roles={"sequence": drawn})] if drawn else []
                pieces += [
                    Piece(form="create table references", roles=piece.roles)
                    for piece in of_columns.add_column(at, {"def": {"column_def": definition}})
                    if "other" in piece.roles
                ]
            case {"constraint": constraint}:
                pieces += [
                    Piece(form="create table references", roles=piece.roles)
                    for piece in constraints.add(at, {"def": {"constraint": constraint}})
                    if "other" in piece.roles
                ]
    return [Piece(form=p.form, kind=p.kind, assumed=p.assumed, roles=_without(p, made.name)) for p in pieces]


def _copied(relation: Relation) -> dict[str, Column]:
    return {name: replace(column, sequence=None) for name, column in relation.columns.items()}


def _without(piece: Piece, made: Name) -> dict[str, tuple[Name, ...]]:
    return {part: tuple(name for name in found if name != made) for part, found in piece.roles.items()}


def create_index(node: Node, world: World) -> list[Piece]:
    """CREATE INDEX, with ONLY, CONCURRENTLY and IF NOT EXISTS."""
    at = target(world, range_var(world, node["relation"]), family=bool(node["relation"].get("inh")))
    over = [found["index_elem"].get("name", "") for found in node.get("index_params", [])]
    chosen = "_".join((at.name[1], *(name or "expr" for name in over), "idx"))
    name = (at.name[0], node["idxname"]) if "idxname" in node else world.free(at.name[0], chosen)
    late = " concurrently" if node.get("concurrent") else ""
    if node.get("if_not_exists") and world.get(name) is not None:
        return [at.piece(f"create index{late}, there already")]
    world.add(Relation(name=name, kind="I" if at.relation.kind == "p" else "i", table=at.name))
    plain = "" not in over and "where_clause" not in node
    unique = _kept_unique(node) if plain and node.get("unique") else None
    at.relation.indexes[name] = Index(columns=frozenset(over), plain=plain, unique=unique)
    if at.relation.kind == "p" and not at.family:
        return [at.piece("create index only")]
    return [at.piece(f"create index{late}")]


def _kept_unique(node: Node) -> Unique:
    columns, including = (
        tuple(found["index_elem"]["name"] for found in node.get(part, []))
        for part in ("index_params", "index_including_params")
    )
    return Unique(columns, including, bool(node.get("nulls_not_distinct")))


def create_view(node: Node, world: World) -> list[Piece]:
    """CREATE [OR REPLACE] VIEW."""
    name = _made(world, node["view"])
    there = node.get("replace") and world.get(name) is not None
    form = "create or replace view" if there else "create view"
    read = sources(node["query"], world)
    if not there:
        world.add(Relation(name=name, kind="v"))
    columns = mentioned(node["query"])
    view = View(name=name, columns=None if "*" in columns else frozenset(columns))
    for source in read:
        world.need(source).views.append(view)
    roles: dict[str, tuple[Name, ...]] = {"table": tuple(read), "view": (name,) if there else ()}
    return [Piece(form=form, roles=roles, assumed=bool(node.get("replace")) and not world.source.complete)]


def create_as(node: Node, world: World) -> list[Piece]:
    """CREATE TABLE AS and CREATE MATERIALIZED VIEW."""
    name = _made(world, node["into"]["rel"])
    materialized = node.get("objtype") == "OBJECT_MATVIEW"
    if node.get("if_not_exists") and world.get(name) is not None:
        return [Piece(form="create table, there already")]
    read = through(sources(node["query"], world), world)
    world.add(Relation(name=name, kind="m" if materialized else "r"))
    form = "create materialized view" if materialized else "create table as"
    return [target(world, source).piece(form) for source in read] or [Piece(form=form)]


def create_trigger(node: Node, world: World) -> list[Piece]:
    """CREATE [OR REPLACE] [CONSTRAINT] TRIGGER."""
    at = target(world, range_var(world, node["relation"]))
    at.relation.triggers.add(node["trigname"])
    row = bool(node.get("row"))
    return [at.piece("create trigger" if row or at.relation.kind != "p" else "create statement trigger")]


def on_table(form: str, field: str = "relation", table: str = "table") -> object:
    """A rule for a statement that names one table in a field and is one form."""

    def rule(node: Node, world: World) -> list[Piece]:
        return [target(world, range_var(world, node[table if field == "" else field])).piece(form)]

    return rule


def create_statistics(node: Node, world: World) -> list[Piece]:
    """CREATE STATISTICS."""
    at = target(world, range_var(world, node["relations"][0]["range_var"]))
    return [at.piece("create statistics")]


def create_publication(node: Node, world: World) -> list[Piece]:
    """CREATE PUBLICATION … FOR TABLE."""
    pieces = []
    for found in node.get("pubobjects", []):
        spec = found["publication_obj_spec"]
        if "pubtable" not in spec:
            return [Piece(form="unknown")]
        pieces.append(target(world, range_var(world, spec["pubtable"]["relation"])).piece("create publication"))
    return pieces or [Piece(form="create schema")]


def create_domain(node: Node, world: World) -> list[Piece]:
    """CREATE DOMAIN: remembered, because a column of a domain with CHECK rewrites its table."""
    from expandcontract.pg.locks.types import read_type  # noqa: PLC0415  # the rest of this file does not need it

    base = read_type(world, node["type_name"])
    kinds = {found["constraint"]["contype"] for found in node.get("constraints", [])}
    checked = bool(kinds & {"CONSTR_CHECK", "CONSTR_NOTNULL", "CONSTR_DEFAULT"})  # a default is taken at its worst
    known = base or Type(base="?")
    world.types[names(node["domainname"])[-1]] = Type(
        base=known.base,
        base_oid=known.base_oid,
        typmod=known.typmod,
        checked=checked or known.checked,
        collation=known.collation,
    )
    return [Piece(form="create domain")]


def create_sequence(node: Node, world: World) -> list[Piece]:
    """CREATE SEQUENCE."""
    world.add(Relation(name=_made(world, node["sequence"]), kind="S"))
    table = owner(node, world)
    return [Piece(form="create sequence", roles={"table": (table,) if table is not None else ()})]
