"""Actions of ALTER TABLE on columns."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.pg.locks import defaults, types
from expandcontract.pg.locks.parse import Node, names
from expandcontract.pg.locks.rules import constraints, proof
from expandcontract.pg.locks.rules.dropping import references_gone, views_gone
from expandcontract.pg.locks.table import Piece
from expandcontract.pg.locks.world import Column, Index, Relation
from expandcontract.pg.parsed import cut

if TYPE_CHECKING:
    from expandcontract.pg.locks.rules.target import Target

SERIAL = {
    "serial": "int4",
    "serial4": "int4",
    "bigserial": "int8",
    "serial8": "int8",
    "smallserial": "int2",
    "serial2": "int2",
}
SEEN = "cannot alter type of a column used by a view or rule"
SIMPLE = {
    "AT_SetStatistics": "set statistics",
    "AT_SetOptions": "set column option",
    "AT_ResetOptions": "set column option",
    "AT_SetStorage": "set storage",
    "AT_SetCompression": "set compression",
    "AT_AddIdentity": "add identity",
    "AT_DropExpression": "drop expression",
    "AT_SetExpression": "set expression",
    "AT_CookedColumnDefault": "set default",
}


def add_column(at: Target, command: Node) -> list[Piece]:
    """ADD COLUMN, with all that stands in its definition."""
    definition = command["def"]["column_def"]
    name = definition["colname"]
    if command.get("missing_ok") and name in at.relation.columns:
        return [replace(at.piece("add column, there already"), assumed=False)]
    parts = {found["constraint"]["contype"]: found["constraint"] for found in definition.get("constraints", [])}
    pieces = [_added(at, definition, parts)]
    default = defaults.judge(at.world, parts.get("CONSTR_DEFAULT", {}).get("raw_expr"))[0]
    at.relation.columns[name] = _column(at, definition, parts)
    for found in definition.get("constraints", []):
        pieces += _inline(at, name, found["constraint"], filled=default is not defaults.Default.NONE)
    return pieces


def _column(at: Target, definition: Node, parts: dict[str, Node]) -> Column:
    written = definition["type_name"]
    serial = SERIAL.get(names(written["names"])[-1])
    if serial is not None:
        written = {"names": [{"string": {"sval": "pg_catalog"}}, {"string": {"sval": serial}}]}
    sequence = None
    if serial is not None or "CONSTR_IDENTITY" in parts:
        sequence = (at.name[0], f"{at.name[1]}_{definition['colname']}_seq")
        at.world.add(Relation(name=sequence, kind="S"))
    strict = parts.keys() & {"CONSTR_NOTNULL", "CONSTR_PRIMARY", "CONSTR_IDENTITY"}
    return Column(
        type=types.read_type(at.world, written),
        not_null=bool(strict) or serial is not None,
        identity="CONSTR_IDENTITY" in parts,
        sequence=sequence,
        drawn=sequence if serial is not None else None,
    )


def _added(at: Target, definition: Node, parts: dict[str, Node]) -> Piece:
    written = definition["type_name"]
    kind = types.read_type(at.world, written)
    unknown = kind is None and not at.world.source.complete and _may_be_domain(written)
    if names(written["names"])[-1] in SERIAL:
        return at.piece("add column serial")
    if "CONSTR_IDENTITY" in parts:
        return at.piece("add column identity")
    if "CONSTR_GENERATED" in parts:
        virtual = parts["CONSTR_GENERATED"].get("generated_kind") == "v"
        return at.piece(f"add column generated {'virtual' if virtual else 'stored'}")
    if unknown or (kind is not None and kind.checked):
        return at.piece("add column checked domain", assumed=unknown)
    return _with_default(at, parts, kind.default if kind is not None else "")


def _with_default(at: Target, parts: dict[str, Node], of_domain: str) -> Piece:
    expression = parts.get("CONSTR_DEFAULT", {}).get("raw_expr")
    if "CONSTR_DEFAULT" not in parts and of_domain:
        (query,) = cut(f"SELECT {of_domain}")
        expression = query.node["target_list"][0]["res_target"]["val"]
    default, assumed = defaults.judge(at.world, expression)
    if default is not defaults.Default.NONE:
        numbers = defaults.sequences(at.world, expression)
        return at.piece(f"add column {default.value} default", assumed=assumed, sequence=numbers)
    strict = "CONSTR_NOTNULL" in parts or "CONSTR_PRIMARY" in parts
    return at.piece("add column not null without default" if strict else "add column nullable")


def _may_be_domain(written: Node) -> bool:
    found = names(written["names"])
    return found[0] != "pg_catalog"


def _inline(at: Target, name: str, constraint: Node, *, filled: bool) -> list[Piece]:
    match constraint["contype"]:
        case "CONSTR_CHECK":
            enforced = constraint.get("is_enforced", False)
            constraints.remember(at, constraint, kind="c", columns=(name,))
            return [at.piece("add column check")] if enforced else []
        case "CONSTR_FOREIGN":
            other = constraints.referenced(at, constraint)
            constraints.remember(at, constraint, kind="f", columns=(name,), other=other)
            return [at.with_other("add column references" + (" and default" if filled else ""), other)]
        case "CONSTR_UNIQUE" | "CONSTR_PRIMARY" as kind:
            constraints.remember(at, constraint, kind="p" if kind == "CONSTR_PRIMARY" else "u", columns=(name,))
            return [at.piece("add column unique")]
        case _:
            return []


def drop_column(at: Target, command: Node) -> list[Piece]:
    """DROP COLUMN, with the foreign keys, sequences and views that go with it."""
    name = command["name"]
    if at.certain and command.get("missing_ok") and name not in at.relation.columns:
        return [at.piece("drop column, not there")]
    pieces = [at.piece("drop column")]
    column = at.relation.columns.pop(name, None)
    for key_name, key in list(at.relation.keys.items()):
        if name in key.columns:
            pieces += constraints.dropped(at, key) if key.kind == "f" else []
            del at.relation.keys[key_name]
    if column is not None and column.sequence is not None:
        pieces.append(Piece(form="drop sequence", roles={"sequence": (column.sequence,)}))
    at.relation.indexes = {key: index for key, index in at.relation.indexes.items() if name not in index.columns}
    if command.get("behavior") == "DROP_CASCADE":
        pieces += references_gone(at, frozenset({name})) + views_gone(at, frozenset({name}))
    for leaf in at.leaves:
        at.world.need(leaf).columns.pop(name, None)
    return pieces


def set_not_null(at: Target, command: Node) -> list[Piece]:
    """SET NOT NULL: read whole, unless proved."""
    name = command["name"]
    column = at.relation.columns.get(name)
    there, doubtful = column is not None and column.not_null, proof.unproved(at.relation, name)
    proved = proof.not_null(at.relation, name)
    at.relation.columns.setdefault(name, Column()).not_null = True
    if there and not doubtful:
        return [at.piece("set not null, there already")]
    if doubtful:
        return [at.piece("set not null, constraint not valid")]
    bare = tuple(leaf for leaf in at.leaves if not proof.not_null(at.world.need(leaf), name))
    for leaf in at.leaves:
        at.world.need(leaf).columns.setdefault(name, Column()).not_null = True
    light = replace(at.piece("set not null, proved by check"), assumed=False)
    if proved:
        return [light]
    read = replace(at.piece("set not null"), roles={"table": (at.name,), "leaf": bare})
    return [read] if len(bare) == len(at.leaves) else [read, light]


def change_type(at: Target, command: Node) -> list[Piece]:
    """ALTER COLUMN … TYPE, with the indexes, checks and foreign keys over the column."""
    name = command["name"]
    column = at.relation.columns.setdefault(name, Column())
    verdict = types.judge(at.world, column.type, command["def"]["column_def"], name)
    column.type = verdict.type
    word = "rewrite" if verdict.rewrites else "no rewrite"
    pieces = _bound(at, name, word)
    if not verdict.rewrites:
        pieces += _rebuilt(at, name, [i for i in at.relation.indexes.values() if name in i.columns], verdict)
    if column.sequence is not None:
        suffix = ", identity" if column.identity else ""
        pieces.append(at.piece(f"change type, {word}{suffix}", sequence=(column.sequence,)))
    pieces = pieces or [at.piece(f"change type, {word}")]
    seen = any(view.columns is not None and name in view.columns for view in at.relation.views)
    return [replace(piece, assumed=piece.assumed or verdict.assumed, refused=SEEN if seen else "") for piece in pieces]


def _rebuilt(at: Target, name: str, indexes: list[Index], verdict: types.Verdict) -> list[Piece]:
    pieces = []
    if indexes:
        rebuilt = verdict.reindexes or not all(index.plain for index in indexes)
        pieces.append(at.piece("change type, index rebuilt" if rebuilt else "change type, no rewrite, indexed"))
    if any(key.kind == "c" and name in key.columns for key in at.relation.keys.values()):
        pieces.append(at.piece("change type, no rewrite, checked"))
    return pieces


def _bound(at: Target, name: str, word: str) -> list[Piece]:
    pieces = [
        at.with_other(f"change type, {word}, of a foreign key", key.other)
        for key in at.relation.keys.values()
        if key.kind == "f" and key.other is not None and name in key.columns
    ]
    pieces += [
        at.piece(f"change type, {word}, referenced", referencing=(reference.table,))
        for reference in at.relation.referenced
        if name in reference.columns
    ]
    return pieces


def simple(at: Target, command: Node) -> list[Piece]:
    """The rest: one form each, told by the action."""
    name, kind = command.get("name", ""), command["subtype"]
    column = at.relation.columns.get(name)
    owned = (column.sequence,) if column is not None and column.sequence else ()
    match kind:
        case "AT_ColumnDefault":
            numbers = defaults.sequences(at.world, command.get("def"))
            if column is not None:
                column.drawn = next(iter(numbers), None)
            return [at.piece("set default", sequence=numbers) if "def" in command else at.piece("drop default")]
        case "AT_DropNotNull":
            if column is not None:
                column.not_null = False
            return [at.piece("drop not null")]
        case "AT_SetIdentity":
            return [at.piece("set identity", sequence=owned)]
        case "AT_DropIdentity":
            return [at.piece("drop identity", sequence=owned)]
        case _:
            return [at.piece(SIMPLE[kind])]


ACTIONS = {
    "AT_AddColumn": add_column,
    "AT_DropColumn": drop_column,
    "AT_SetNotNull": set_not_null,
    "AT_AlterColumnType": change_type,
    **dict.fromkeys(
        ("AT_ColumnDefault", "AT_DropNotNull", "AT_SetIdentity", "AT_DropIdentity", *SIMPLE),
        simple,
    ),
}
