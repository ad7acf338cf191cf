"""Whether constraints that are there already prove a new one, so that PostgreSQL need not read the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.pg.locks.parse import Node, constant, names
from expandcontract.pg.parsed import cut

if TYPE_CHECKING:
    from expandcontract.pg.locks.world import Key, Relation

Comparison = tuple[str, str, str]
"""Column, operator, constant."""


def not_null(relation: Relation, column: str) -> bool:
    """Whether the column is NOT NULL already, or a validated CHECK says so of every row."""
    found = relation.columns.get(column)
    if found is not None and found.not_null and not unproved(relation, column):
        return True
    return any(
        key.kind == "c" and key.validated and _proves(_expression(key), column) for key in relation.keys.values()
    )


def unproved(relation: Relation, column: str) -> bool:
    """Whether its NOT NULL is a constraint that is not validated (PostgreSQL 18)."""
    return any(key.kind == "n" and column in key.columns and not key.validated for key in relation.keys.values())


def tree(key: Key) -> Node:
    """A constraint as a statement would write it; empty where that is not known."""
    if key.node is not None:
        return key.node
    (found, *_) = cut(f"ALTER TABLE t ADD {key.definition}")
    match found.node:
        case {"cmds": [{"alter_table_cmd": {"def": {"constraint": dict(constraint)}}}]}:
            return constraint
        case _:
            return {}


def _expression(key: Key) -> Any:
    return tree(key).get("raw_expr")


def _proves(node: Any, column: str) -> bool:
    match node:
        case {"null_test": {"nulltesttype": "IS_NOT_NULL", "arg": {"column_ref": {"fields": fields}}}}:
            return names(fields)[-1] == column
        case {"bool_expr": {"boolop": "AND_EXPR", "args": args}}:
            return any(_proves(arg, column) for arg in args)
        case {"bool_expr": {"boolop": "OR_EXPR", "args": args}}:
            return all(_proves(arg, column) for arg in args)
        case _:
            return False


def in_bound(relation: Relation, column: str, bound: Node) -> bool:
    """Whether a validated CHECK repeats a partition's bound word for word, and the column is never NULL."""
    wanted = _wanted(column, bound)
    if not column or not wanted or not not_null(relation, column):
        return False
    return any(
        wanted <= set(_compared(_expression(key)))
        for key in relation.keys.values()
        if key.kind == "c" and key.validated
    )


def _wanted(column: str, bound: Node) -> set[Comparison]:
    if "lowerdatums" not in bound:
        return set()
    ends = {">=": bound["lowerdatums"][0], "<": bound["upperdatums"][0]}
    wanted = {(column, sign, str(constant(end))) for sign, end in ends.items() if constant(end) is not None}
    return wanted if all(constant(end) is not None or "column_ref" in end for end in ends.values()) else set()


def _compared(node: Any) -> list[Comparison]:
    match node:
        case {"bool_expr": {"boolop": "AND_EXPR", "args": args}}:
            return [found for arg in args for found in _compared(arg)]
        case {
            "a_expr": {
                "name": [{"string": {"sval": sign}}],
                "lexpr": {"column_ref": {"fields": fields}},
                "rexpr": value,
            }
        } if constant(value) is not None:
            return [(names(fields)[-1], sign, str(constant(value)))]
        case _:
            return []
