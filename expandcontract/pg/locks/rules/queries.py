"""Queries and changes of rows: the relations that they name, and how each is locked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.pg.locks.defaults import KEPT, VOLATILE
from expandcontract.pg.locks.names import range_var
from expandcontract.pg.locks.parse import names
from expandcontract.pg.locks.rules import own
from expandcontract.pg.locks.rules.target import target
from expandcontract.pg.locks.source import Catalogue
from expandcontract.pg.locks.table import Piece

if TYPE_CHECKING:
    from expandcontract.pg.locks.parse import Node
    from expandcontract.pg.locks.world import Name, World

SYSTEM = frozenset({"pg_catalog", "information_schema", "expandcontract", "pg_toast"})
AGGREGATES = frozenset({"count", "max", "min", "sum", "avg", "set_config", "array_agg", "string_agg", "bool_or"})
CHANGES = {"insert_stmt": "insert", "update_stmt": "update", "delete_stmt": "delete", "merge_stmt": "update"}


def sources(node: Any, world: World) -> list[Name]:
    """The relations that a query reads, without the names that its WITH defines."""
    defined = set(_named(node))
    found = []
    for ranged in _ranged(node):
        if "schemaname" not in ranged and ranged["relname"] in defined:
            continue
        name = range_var(world, ranged)
        if name[0] not in SYSTEM and name not in found:
            found.append(name)
    return found


def _ranged(node: Any) -> list[Node]:
    if isinstance(node, dict):
        own_one = [node["range_var"]] if "range_var" in node else []
        own_one += [node["relation"]] if "relname" in node.get("relation", {}) else []
        return own_one + [found for value in node.values() for found in _ranged(value)]
    if isinstance(node, list):
        return [found for item in node for found in _ranged(item)]
    return []


def _named(node: Any) -> list[str]:
    if isinstance(node, dict):
        own_one = [node["ctename"]] if "ctename" in node else []
        return own_one + [found for value in node.values() for found in _named(value)]
    if isinstance(node, list):
        return [found for item in node for found in _named(item)]
    return []


def _calls(node: Any) -> list[tuple[tuple[str, ...], Node]]:
    if isinstance(node, dict):
        here = [(names(node["func_call"]["funcname"]), node["func_call"])] if "func_call" in node else []
        return here + [found for value in node.values() for found in _calls(value)]
    if isinstance(node, list):
        return [found for item in node for found in _calls(item)]
    return []


def through(read: list[Name], world: World) -> list[Name]:
    """These relations, and those that the views among them read."""
    seen = list(read)
    for name in seen:
        if world.need(name).kind == "v" and isinstance(world.source, Catalogue):
            rows = world.source.rows("read_by", schema=name[0], name=name[1])
            seen += [found for row in rows if (found := (str(row["schema"]), str(row["name"]))) not in seen]
    return seen


def query(node: Node, world: World) -> list[Piece]:
    """SELECT: what it reads, and what our own functions in it do. One that calls an unknown function is unknown."""
    pieces: list[Piece] = []
    for written, call in _calls(node):
        if written[0] == "expandcontract" and len(written) > 1:
            pieces += own.call(written[1], call, world)
        elif not _harmless(world, written):
            pieces.append(Piece(form="unknown"))
    form = "select for update" if "locking_clause" in node else "select"
    pieces += [target(world, source).piece(form) for source in through(sources(node, world), world)]
    return pieces or [Piece(form="select")]


def _harmless(world: World, written: tuple[str, ...]) -> bool:
    """Whether a function takes no lock that we do not know of: a built-in, or one that may not change anything."""
    if not isinstance(world.source, Catalogue):
        return written[0] == "pg_catalog" or written[-1] in KEPT | VOLATILE | AGGREGATES or written[0].startswith("pg_")
    schemas = [written[0]] if len(written) > 1 else ["pg_catalog", *world.path]
    if world.source.rows("volatile", name=written[-1], schemas=["pg_catalog"])[0]["volatile"] is not None:
        return True
    return world.source.rows("volatile", name=written[-1], schemas=schemas)[0]["volatile"] is False


def change(kind: str, node: Node, world: World) -> list[Piece]:
    """INSERT, UPDATE, DELETE, MERGE: the table that they write, and those that they read."""
    written = range_var(world, node["relation"])
    rest = {key: value for key, value in node.items() if key != "relation"}
    read = [source for source in sources(rest, world) if source != written]
    system = written[0] in SYSTEM
    pieces = [] if system else [target(world, each).piece(CHANGES[kind]) for each in through([written], world)]
    pieces += [target(world, source).piece("select") for source in through(read, world)]
    return pieces or [Piece(form=CHANGES[kind])]


def copy(node: Node, world: World) -> list[Piece]:
    """COPY, of a table or of a query."""
    if "relation" not in node:
        return query(node, world)
    form = "insert" if node.get("is_from") else "select"
    return [target(world, range_var(world, node["relation"])).piece(form)]
