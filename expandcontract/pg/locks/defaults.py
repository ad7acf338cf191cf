"""What a new column's DEFAULT costs.

A constant or the transaction's own time is kept once, for all rows; a volatile value is computed and written for each.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from expandcontract.pg.locks.parse import Node, constant, names
from expandcontract.pg.locks.source import Catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.pg.locks.world import Name, World

KEPT = frozenset(
    {
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "lower",
        "upper",
        "concat",
        "coalesce",
        "to_char",
        "date_trunc",
    }
    | {
        "current_setting",
        "jsonb_build_object",
        "jsonb_build_array",
        "json_build_object",
        "make_date",
        "timezone",
        "age",
    }
)
VOLATILE = frozenset(
    {"clock_timestamp", "gen_random_uuid", "random", "nextval", "setval", "timeofday", "uuidv4", "uuidv7"}
    | {"uuid_generate_v1", "uuid_generate_v4", "random_normal", "txid_current"}
)


class Default(StrEnum):
    """How a default is kept."""

    NONE = "none"
    CONSTANT = "constant"
    STABLE = "stable"
    VOLATILE = "volatile"


def judge(world: World, node: Node | None) -> tuple[Default, bool]:
    """How an expression is kept, and whether that is assumed because a function is not known."""
    if node is None or "isnull" in node.get("a_const", {}):
        return Default.NONE, False
    if constant(node) is not None:
        return Default.CONSTANT, False
    assumed, kind = False, Default.CONSTANT
    for call in _calls(node):
        volatile = _is_volatile(world, call)
        assumed = assumed or volatile is None
        if volatile is None or volatile:
            return Default.VOLATILE, assumed
        kind = Default.STABLE
    return kind, assumed


def sequences(world: World, node: Node | None) -> tuple[Name, ...]:
    """The sequences that an expression takes numbers from."""
    from expandcontract.pg.locks.names import parts  # noqa: PLC0415  # only where a default has a sequence

    found = []
    for key, call in _walk(node or {}):
        if key == "func_call" and names(call["funcname"])[-1] == "nextval" and call.get("args"):
            written = constant(call["args"][0])
            if isinstance(written, str):
                found.append(world.name(*parts(written)))
    return tuple(found)


def _is_volatile(world: World, call: tuple[str, ...]) -> bool | None:
    if call[-1] in VOLATILE and len(call) == 1:
        return True
    if isinstance(world.source, Catalogue):
        schemas = [call[0]] if len(call) > 1 else ["pg_catalog", *world.path]
        found = world.source.rows("volatile", name=call[-1], schemas=schemas)[0]["volatile"]
        return None if found is None else bool(found)
    return False if call[-1] in KEPT else None


def _calls(node: Node) -> Iterator[tuple[str, ...]]:
    for key, value in _walk(node):
        if key == "func_call":
            yield names(value["funcname"])
        elif key == "sqlvalue_function":
            yield ("now",)


def _walk(node: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield key, value
            yield from _walk(value)
    elif isinstance(node, list):
        for item in node:
            yield from _walk(item)
