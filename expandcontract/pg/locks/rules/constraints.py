"""Actions of ALTER TABLE on constraints."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.pg.locks.names import range_var
from expandcontract.pg.locks.parse import Node, mentioned, names
from expandcontract.pg.locks.rules import merging, proof, renaming
from expandcontract.pg.locks.rules.dropping import foreign_key_gone, references_gone
from expandcontract.pg.locks.rules.target import partitions
from expandcontract.pg.locks.table import UNTOLD
from expandcontract.pg.locks.world import Column, Index, Key, Reference, Relation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from expandcontract.pg.locks.rules.target import Target
    from expandcontract.pg.locks.table import Piece
    from expandcontract.pg.locks.world import Name

SUFFIX = {"c": "check", "f": "fkey", "u": "key", "p": "pkey", "n": "not_null", "x": "excl"}


def referenced(at: Target, constraint: Node) -> Name:
    """The table that a foreign key refers to."""
    return range_var(at.world, constraint["pktable"])


def remember(
    at: Target, constraint: Node, *, kind: str, columns: Iterable[str], other: Name | None = None, valid: bool = True
) -> None:
    """A constraint is there from now on."""
    over = tuple(columns)
    default = "_".join(
        filter(None, (at.name[1], *(over if kind in "fux" else over[:1] if kind != "p" else ()), SUFFIX[kind]))
    )
    name = constraint.get("conname") or (at.world.free(at.name[0], default)[1] if kind in renaming.BACKED else default)
    at.relation.keys[name] = Key(kind=kind, columns=frozenset(over), validated=valid, node=constraint, other=other)
    if kind in renaming.BACKED:
        index, unique = (at.name[0], name), merging.kept_unique(constraint) if kind != "x" else None
        at.relation.indexes[index] = Index(columns=frozenset(over), unique=unique)
        at.world.add(Relation(name=index, kind="I" if at.relation.kind == "p" else "i", table=at.name))
    if other is not None:
        key = names(constraint["pk_attrs"]) if "pk_attrs" in constraint else merging.primary(at.world, other)
        at.world.need(other).referenced.append(Reference(table=at.name, constraint=name, columns=frozenset(key)))


def add(at: Target, command: Node) -> list[Piece]:
    """ADD CONSTRAINT, and ADD without a name."""
    constraint = command["def"]["constraint"]
    late = bool(constraint.get("skip_validation"))
    match constraint["contype"]:
        case "CONSTR_CHECK":
            return [_check(at, constraint, late=late)]
        case "CONSTR_FOREIGN":
            return _foreign(at, constraint, late=late)
        case "CONSTR_NOTNULL":
            return [_not_null(at, constraint, late=late)]
        case "CONSTR_EXCLUSION":
            remember(at, constraint, kind="x", columns=())
            return [at.piece("add exclusion")]
        case kind:
            return _unique(at, constraint, primary=kind == "CONSTR_PRIMARY")


def _check(at: Target, constraint: Node, *, late: bool) -> Piece:
    enforced = bool(constraint.get("is_enforced"))
    remember(at, constraint, kind="c", columns=mentioned(constraint.get("raw_expr")), valid=enforced and not late)
    if not enforced:
        return at.piece("add check not enforced")
    return at.piece("add check not valid" if late else "add check")


def _foreign(at: Target, constraint: Node, *, late: bool) -> list[Piece]:
    other = referenced(at, constraint)
    enforced = bool(constraint.get("is_enforced"))
    remember(at, constraint, kind="f", columns=names(constraint["fk_attrs"]), other=other, valid=enforced and not late)
    suffix = " not enforced" if not enforced else " not valid" if late else ""
    whole = at.with_other("add foreign key" + suffix, other)
    if suffix:
        return [whole]
    far = " to a partitioned table" if partitions(at.world, other) else ""
    own = merging.own_foreign(at.world, constraint, other)
    return merging.pieces(at, whole, f"add foreign key{far}, partitions have it", own)


def _not_null(at: Target, constraint: Node, *, late: bool) -> Piece:
    (column,) = names(constraint["keys"])
    remember(at, constraint, kind="n", columns=(column,), valid=not late)
    at.relation.columns.setdefault(column, Column()).not_null = True
    return at.piece("add not null not valid" if late else "add not null")


def _unique(at: Target, constraint: Node, *, primary: bool) -> list[Piece]:
    kind, form = ("p", "add primary key") if primary else ("u", "add unique")
    if "indexname" in constraint:
        columns = _using_index(at, constraint, kind)
        form += " using index"
    else:
        columns = names(constraint.get("keys", []))
    if primary and not all(proof.not_null(at.relation, column) for column in columns):
        form += ", nullable column"
    own = merging.own_unique(merging.kept_unique(constraint), columns if primary else ())
    found = merging.pieces(at, at.piece(form), f"{form}, partitions have it", own)
    if "indexname" not in constraint:
        remember(at, constraint, kind=kind, columns=columns)
    for column in columns if primary else ():
        at.relation.columns.setdefault(column, Column()).not_null = True
    return found


def _using_index(at: Target, constraint: Node, kind: str) -> tuple[str, ...]:
    """The index becomes the constraint's and takes its name; its columns."""
    old = (at.name[0], str(constraint["indexname"]))
    new = (at.name[0], str(constraint.get("conname", old[1])))
    index = at.relation.indexes.get(old, Index())
    if old != new:
        at.world.rename(old, new)
    at.relation.keys[new[1]] = Key(kind=kind, columns=index.columns)
    at.relation.indexes[new] = index
    return index.unique.columns if index.unique is not None else tuple(index.columns)


def validate(at: Target, command: Node) -> list[Piece]:
    """VALIDATE CONSTRAINT."""
    key = at.relation.keys.get(command["name"])
    if key is None:
        return [at.with_other("validate foreign key", UNTOLD, assumed=True)]
    if key.validated:
        return [at.piece("validate, valid already")]
    key.validated = True
    if key.other is not None:
        return [replace(at.with_other("validate foreign key", key.other), assumed=not at.world.need(key.other).known)]
    return [replace(at.piece("validate not null" if key.kind == "n" else "validate check"), assumed=not at.certain)]


def drop(at: Target, command: Node) -> list[Piece]:
    """DROP CONSTRAINT."""
    key = at.relation.keys.pop(command["name"], None)
    if key is None and at.certain:
        return [at.piece("drop constraint, not there")]
    if key is None:
        return [at.with_other("drop foreign key", UNTOLD, assumed=True)]
    if key.kind in renaming.BACKED:
        at.world.remove((at.name[0], command["name"]))
    pieces = dropped(at, key)
    if command.get("behavior") == "DROP_CASCADE" and key.kind in "pu":
        pieces += references_gone(at, key.columns)
    return pieces


def dropped(at: Target, key: Key) -> list[Piece]:
    """A constraint is gone."""
    if key.kind == "f" and key.other is not None:
        return [foreign_key_gone(at, key.other)]
    if key.kind == "n":
        for column in key.columns:
            at.relation.columns.setdefault(column, Column()).not_null = False
        return [at.piece("drop not null")]
    return [at.piece("drop check" if key.kind == "c" else "drop unique")]


def alter(at: Target, command: Node) -> list[Piece]:
    """ALTER CONSTRAINT: deferrable, enforced, inherited."""
    change = command["def"].get("atalter_constraint", command["def"].get("constraint", {}))
    key = at.relation.keys.get(change["conname"])
    if change.get("alter_inheritability"):
        return [at.piece("alter constraint inherit")]
    other = key.other if key is not None and key.other is not None else UNTOLD
    if not change.get("alter_enforceability"):
        return [at.with_other("alter foreign key deferrable", other)]
    word = "enforced" if change.get("is_enforced") else "not enforced"
    return [at.with_other(f"alter foreign key {word}", other, assumed=key is None)]


ACTIONS = {
    "AT_AddConstraint": add,
    "AT_ValidateConstraint": validate,
    "AT_DropConstraint": drop,
    "AT_AlterConstraint": alter,
}
