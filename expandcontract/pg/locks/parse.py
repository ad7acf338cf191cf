"""What statements' trees say, walked as plain mappings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.pg.parsed import cut

if TYPE_CHECKING:
    from expandcontract.pg.parsed import Statement

Node = dict[str, Any]
"""A node of the parser's tree: fields by name, enumerations by their word, fields with the default's value left out."""

OUTSIDE = frozenset(
    {
        "alter_system_stmt",
        "create_table_space_stmt",
        "createdb_stmt",
        "create_subscription_stmt",
        "drop_subscription_stmt",
        "drop_table_space_stmt",
        "dropdb_stmt",
    }
)
WHOLE = frozenset({"REINDEX_OBJECT_SCHEMA", "REINDEX_OBJECT_DATABASE", "REINDEX_OBJECT_SYSTEM"})


def is_transactional(sql: str) -> bool:
    """Whether every statement of ``sql`` can run inside a transaction with others."""
    return not any(runs_outside(found) for found in cut(sql))


def runs_outside(statement: Statement) -> bool:
    """Whether PostgreSQL refuses the statement inside a transaction block."""
    node = statement.node
    match statement.kind:
        case "index_stmt" | "drop_stmt":
            return bool(node.get("concurrent"))
        case "vacuum_stmt":
            return bool(node.get("is_vacuumcmd"))
        case "cluster_stmt":
            return "relation" not in node
        case "reindex_stmt":
            return concurrently(node) or node["kind"] in WHOLE
        case "alter_table_stmt":
            return any(_detaches_concurrently(command["alter_table_cmd"]) for command in node.get("cmds", []))
        case kind:
            return kind in OUTSIDE


def _detaches_concurrently(command: Node) -> bool:
    return command["subtype"] == "AT_DetachPartition" and bool(command["def"]["partition_cmd"].get("concurrent"))


def concurrently(node: Node) -> bool:
    """Whether a REINDEX says CONCURRENTLY, and does not turn it off."""
    return option(node, "concurrently")


def option(node: Node, name: str) -> bool:
    """Whether an option in parentheses, or before them, is on."""
    options: list[Node] = node.get("params") or node.get("options") or []
    for found in (item["def_elem"] for item in options):
        if found["defname"] == name:
            return str(constant(found.get("arg", {}))).lower() not in {"false", "off", "0"}
    return False


def constant(node: Node) -> str | int | bool | None:
    """The value of a constant, through casts of it; ``None`` where the node is none."""
    match node:
        case {"a_const": value} | {"type_cast": {"arg": {"a_const": value}}}:
            pass
        case {"type_cast": {"arg": inner}}:
            return constant(inner)
        case _:
            value = node
    match value:
        case {"sval": {"sval": str(found)}} | {"string": {"sval": str(found)}}:
            return found
        case {"ival": inner} | {"integer": inner}:
            return int(inner.get("ival", 0))
        case {"boolval": inner} | {"boolean": inner}:
            return bool(inner.get("boolval", False))
        case _:
            return None


def names(nodes: list[Node]) -> tuple[str, ...]:
    """The strings of a list of names: ``["schema", "table"]``."""
    return tuple(found["string"].get("sval", "") for found in nodes)


def mentioned(node: Any) -> set[str]:
    """The columns that an expression or query names, without their tables; ``*`` among them where it reads all."""
    if isinstance(node, dict):
        fields = node.get("column_ref", {}).get("fields", [])
        here = {fields[-1].get("string", {}).get("sval", "*")} if fields else set()
        return here.union(*(mentioned(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(mentioned(item) for item in node))
    return set()
