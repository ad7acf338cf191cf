"""Reads the actions of ALTER TABLE. https://www.postgresql.org/docs/current/sql-altertable.html."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from postgast import find_nodes
from postgast import pg_query_pb2 as pg

from expandcontract.core.mapping import Table
from expandcontract.core.revision import Action, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

SERIAL = {"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"}
SPOKEN = MappingProxyType(
    {
        "int2": "smallint",
        "int4": "integer",
        "int8": "bigint",
        "bool": "boolean",
        "bpchar": "char",
        "float4": "real",
        "float8": "double precision",
    }
)
WORDS = MappingProxyType(
    {
        "CONSTR_CHECK": "check",
        "CONSTR_UNIQUE": "unique",
        "CONSTR_PRIMARY": "primary key",
        "CONSTR_FOREIGN": "foreign key",
        "CONSTR_EXCLUSION": "exclude",
        "CONSTR_NOTNULL": "not null",
        "CONSTR_DEFAULT": "default",
        "CONSTR_IDENTITY": "identity",
        "CONSTR_GENERATED": "generated",
    }
)


def table_of(found: Any) -> Table | None:
    """The table that a ``RangeVar`` names, or ``None`` where it names none; a database in front is left out."""
    if found is None or not found.relname:
        return None
    return Table(schema=found.schemaname or "public", name=found.relname)


def parts(names: Any) -> Table:
    """A qualified name that stands as a list of strings."""
    texts = [one.string.sval for one in names]
    return Table(schema=texts[-2] if len(texts) > 1 else "public", name=texts[-1] if texts else "")


def named(node: Any) -> Table:
    """The name of any object, as DROP and RENAME give it."""
    which = node.WhichOneof("node")
    if which == "list":
        return parts(node.list.items)
    if which == "type_name":
        return parts(node.type_name.names)
    if which == "object_with_args":
        return parts(node.object_with_args.objname)
    return Table(schema="public", name=node.string.sval)


def type_of(found: Any) -> str:
    """A type as it is usually written: ``varchar(30)``, ``integer``, ``text[]``."""
    name = parts(found.names)
    shown = SPOKEN.get(name.name, name.name) if name.schema in {"pg_catalog", "public"} else str(name)
    sizes = [str(one.a_const.ival.ival) for one in found.typmods]
    # char alone is stored as char(1)
    sized = f"({','.join(sizes)})" if sizes else ""
    return f"{shown}{sized}{'[]' * len(found.array_bounds)}"


def alter_table(found: Any) -> tuple[Action, ...]:
    """The actions of one ALTER TABLE, in order."""
    table = table_of(found.relation)
    return tuple(_action(one.alter_table_cmd, table) for one in found.cmds)


def _action(found: Any, table: Table | None) -> Action:
    name = pg.AlterTableType.Name(found.subtype)
    reader = READERS.get(name)
    if reader is not None:
        return reader(found, table)
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name.removeprefix("AT_"))
    return Action(kind=Kind.ALTER, table=table, column=found.name or None, name=words.strip())


def _add_column(found: Any, table: Table | None) -> Action:
    column = getattr(found, "def").column_def
    kind = type_of(column.type_name)
    said = {"default", "serial", "not null"} if kind in SERIAL else set()
    for one in column.constraints:
        word = WORDS.get(pg.ConstrType.Name(one.constraint.contype))
        if word is not None:
            said |= {word}
        if word in {"identity", "generated"}:
            said |= {"default"}
        if word == "generated":
            said |= {"virtual" if one.constraint.generated_kind == "v" else "stored"}
    return Action(kind=Kind.ADD_COLUMN, table=table, column=column.colname, type=kind, said=frozenset(said))


def _add_constraint(found: Any, table: Table | None) -> Action:
    one = getattr(found, "def").constraint
    kind = WORDS.get(pg.ConstrType.Name(one.contype), "constraint")
    said = {kind}
    said |= {"using index"} if one.indexname else set()
    said |= {"not enforced"} if kind in {"check", "foreign key"} and not one.is_enforced else set()
    said |= {"not valid"} if one.skip_validation and "not enforced" not in said else set()
    keys = tuple(key.string.sval for key in (one.fk_attrs or one.keys))
    if kind == "check":
        refs = find_nodes(one.raw_expr, pg.ColumnRef)
        keys = tuple(dict.fromkeys(ref.fields[-1].string.sval for ref in refs))
    column = keys[0] if kind == "not null" else None
    columns = () if kind == "not null" else keys
    name = one.conname or None
    return Action(
        kind=Kind.ADD_CONSTRAINT, table=table, column=column, name=name, columns=columns, said=frozenset(said)
    )


def _change_type(found: Any, table: Table | None) -> Action:
    column = getattr(found, "def").column_def
    said = frozenset({"using"} if column.HasField("raw_default") else ())
    return Action(kind=Kind.CHANGE_TYPE, table=table, column=found.name, type=type_of(column.type_name), said=said)


def _default(found: Any, table: Table | None) -> Action:
    kind = Kind.SET_DEFAULT if found.HasField("def") else Kind.DROP_DEFAULT
    return Action(kind=kind, table=table, column=found.name)


def _detach(found: Any, table: Table | None) -> Action:
    said = frozenset({"concurrently"} if getattr(found, "def").partition_cmd.concurrent else ())
    return Action(kind=Kind.ALTER, table=table, name="detach partition", said=said)


def _on_column(kind: Kind) -> Callable[[Any, Table | None], Action]:
    return lambda found, table: Action(kind=kind, table=table, column=found.name)


def _on_constraint(kind: Kind) -> Callable[[Any, Table | None], Action]:
    return lambda found, table: Action(kind=kind, table=table, name=found.name)


def _row_security(found: Any, table: Table | None) -> Action:
    del found
    return Action(kind=Kind.RESTRICT, table=table, name="row level security")


READERS: dict[str, Callable[[Any, Table | None], Action]] = {
    "AT_AddColumn": _add_column,
    "AT_AddConstraint": _add_constraint,
    "AT_AlterColumnType": _change_type,
    "AT_ColumnDefault": _default,
    "AT_DropColumn": _on_column(Kind.DROP_COLUMN),
    "AT_DropConstraint": _on_constraint(Kind.DROP_CONSTRAINT),
    "AT_DropIdentity": _on_column(Kind.DROP_DEFAULT),
    "AT_DropNotNull": _on_column(Kind.DROP_NOT_NULL),
    "AT_SetNotNull": _on_column(Kind.SET_NOT_NULL),
    "AT_ValidateConstraint": _on_constraint(Kind.VALIDATE_CONSTRAINT),
    "AT_DetachPartition": _detach,
    "AT_EnableRowSecurity": _row_security,
    "AT_ForceRowSecurity": _row_security,
}
