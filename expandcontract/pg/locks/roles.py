"""The parts that relations play in a form, and the names that the measured tables have."""

from __future__ import annotations

ROLES = {
    "a": "table",
    "a_1": "leaf",
    "a_2": "leaf",
    "a_3": "leaf",
    "a_3_1": "leaf of a leaf",
    "b": "other",
    "b_1": "other leaf",
    "b_2": "other leaf",
    "r": "referencing",
    "p": "parent",
    "p_1": "sibling",
    "p_d": "default partition",
    "w": "view",
    "m": "view",
    "s": "sequence",
    "a_ix": "index",
    "a_1_ix": "leaf index",
}


def role(name: str) -> str:
    """What a relation of the measured schema is to the statement.

    Indexes that PostgreSQL named itself are told by the table that they begin with.
    """
    if name in ROLES:
        return ROLES[name]
    if name.endswith("_seq"):
        return "sequence"
    table = name.removesuffix("_ix").rsplit("_", 2)[0]
    return {"a": "index", "b": "other index", "a_1": "leaf index", "a_2": "leaf index", "m": "view index"}.get(
        table, f"? {name}"
    )
