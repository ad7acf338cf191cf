"""Whether a column's type can be changed in the catalogue alone.

PostgreSQL leaves the rows alone where the new value is the old one bit for bit: after its own simplification nothing
remains of the conversion but a relabelling. https://www.postgresql.org/docs/current/sql-altertable.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.pg.locks.parse import Node, constant, names
from expandcontract.pg.locks.source import Catalogue
from expandcontract.pg.locks.world import Type

if TYPE_CHECKING:
    from expandcontract.pg.locks.world import World

HEADER = 4  # bytes that the typmod of a text or number counts beside its length
FULL_RANGE = 0x7FFF
ANY_PRECISION = 0xFFFF
FINEST = 6  # decimals of a second
SHARED_OPERATORS = (frozenset({"text", "varchar"}), frozenset({"inet", "cidr"}))
BINARY = frozenset(
    {("varchar", "text"), ("text", "varchar"), ("cidr", "inet"), ("oid", "int4"), ("int4", "oid"), ("xml", "text")}
)
UTC = frozenset({"utc", "gmt", "etc/utc", "etc/gmt", "uct", "etc/uct", "zulu", "etc/zulu", "universal", "greenwich"})
CLOCKS = frozenset({("timestamp", "timestamptz"), ("timestamptz", "timestamp")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a change of type does.

    Attributes:
        rewrites: Whether the rows are written anew.
        reindexes: Whether a plain index over the column is built anew where they are not.
        assumed: Whether a fact was not known.
        type: The new type, where known.
    """

    rewrites: bool = True
    reindexes: bool = True
    assumed: bool = False
    type: Type | None = None


def judge(world: World, old: Type | None, definition: Node, column: str) -> Verdict:
    """What ``ALTER COLUMN … TYPE`` does to a column of type ``old``."""
    new = read_type(world, definition["type_name"])
    source: Type | None = old
    if "raw_default" in definition:
        source = _using(world, old, definition["raw_default"], column)
        if source is None and old is not None and new is not None:
            return Verdict(type=new)
    if source is None or new is None:
        return Verdict(assumed=True, type=new)
    rewrites = not same_bits(world, source, new)
    collation = new.collation
    if "coll_clause" in definition:
        collation = _collation(world, names(definition["coll_clause"]["collname"]))
    reindexes = not _same_operators(old or source, new) or collation != (old or source).collation
    return Verdict(rewrites=rewrites, reindexes=reindexes, type=new)


def read_type(world: World, node: Node) -> Type | None:
    """A type as a statement writes it, or ``None`` where it is not known."""
    written = names(node["names"])
    schemas = [written[0]] if len(written) > 1 else ["pg_catalog", *world.path]
    if written[-1] in world.types and world.types[written[-1]] is not None:
        return world.types[written[-1]]
    typmod = _typmod(written[-1], [constant(found) for found in node.get("typmods", [])])
    if isinstance(world.source, Catalogue):
        oid = world.source.type_oid(written[-1], schemas)
        if oid is None:
            return None
        found = world.source.type(oid, typmod)
        if "array_bounds" in node:
            array = int(world.source.rows("type", oid=oid)[0]["array_oid"])
            found = world.source.type(array, typmod)
        return found
    if schemas[0] != "pg_catalog" or (len(written) == 1 and written[0] not in _BUILT_IN):
        return None
    return Type(base=("_" if "array_bounds" in node else "") + written[-1], typmod=typmod)


_BUILT_IN = frozenset(
    {"text", "date", "uuid", "json", "jsonb", "bytea", "inet", "cidr", "oid", "xml", "timestamptz", "int4", "int8"}
    | {"money", "macaddr", "name", "tsvector", "point", "float8", "float4", "int2", "bool", "timetz"}
)


def _typmod(name: str, given: list[str | int | bool | None]) -> int:
    numbers = [int(value) for value in given if isinstance(value, int)]
    found = -1
    match name, numbers:
        case (("varchar" | "bpchar"), [length]):
            found = length + HEADER
        case "numeric", [precision, *scale]:
            found = ((precision << 16) | ((scale[0] if scale else 0) & 0x7FF)) + HEADER
        case "interval", [fields, *precision]:
            found = (fields << 16) | (precision[0] if precision else ANY_PRECISION)
        case _, [first, *_]:
            found = first
    return found


def _using(world: World, old: Type | None, node: Node, column: str) -> Type | None:
    """The type that a USING expression has without touching the bits, or ``None`` where it touches them."""
    match node:
        case {"column_ref": {"fields": [*_, {"string": {"sval": name}}]}} if name == column:
            return old
        case {"type_cast": {"arg": inner, "type_name": wanted}}:
            source, new = _using(world, old, inner, column), read_type(world, wanted)
            return new if source is not None and new is not None and same_bits(world, source, new) else None
        case _:
            return None


def same_bits(world: World, old: Type, new: Type) -> bool:
    """Whether each value of ``old`` is, as it stands, the same value of ``new``."""
    if new.checked:
        return False
    if (old.base, new.base) in CLOCKS:
        return world.zone.lower() in UTC and new.typmod in {-1, FINEST}
    if old.base == new.base:
        return _no_shorter(new.base, old.typmod, new.typmod)
    return _relabels(world, old, new) and new.typmod == -1


def _relabels(world: World, old: Type, new: Type) -> bool:
    if isinstance(world.source, Catalogue) and old.base_oid and new.base_oid:
        return bool(world.source.rows("binary", source=old.base_oid, target=new.base_oid)[0]["same"])
    return (old.base, new.base) in BINARY


def _no_shorter(base: str, old: int, new: int) -> bool:
    if new in {-1, old}:
        return True
    match base:
        case "varchar" | "varbit":
            return old != -1 and new >= old
        case "numeric":
            return old != -1 and (old - HEADER) & 0xFFFF == (new - HEADER) & 0xFFFF and new >= old
        case "timestamp" | "timestamptz" | "time" | "timetz":
            return new == FINEST or (old != -1 and new >= old)
        case "interval":
            fields, digits = new >> 16, new & ANY_PRECISION
            finer = digits >= FINEST or (old != -1 and digits >= old & ANY_PRECISION)
            return finer and (fields == FULL_RANGE or (old != -1 and fields == old >> 16))
        case _:
            return False


def _same_operators(old: Type, new: Type) -> bool:
    return old.base == new.base or any({old.base, new.base} <= shared for shared in SHARED_OPERATORS)


def _collation(world: World, written: tuple[str, ...]) -> int:
    if isinstance(world.source, Catalogue):
        schemas = [written[0]] if len(written) > 1 else ["pg_catalog", *world.path]
        rows = world.source.rows("collation", name=written[-1], schemas=schemas)
        return int(rows[0]["oid"]) if rows else -1
    return -1
