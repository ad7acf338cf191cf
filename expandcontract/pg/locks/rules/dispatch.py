"""Which rule a statement goes to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.pg.locks.names import range_var
from expandcontract.pg.locks.parse import names
from expandcontract.pg.locks.rules import alter, create, drops, others, queries
from expandcontract.pg.locks.rules.target import target
from expandcontract.pg.locks.table import Piece
from expandcontract.pg.locks.world import Type

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.pg.locks.parse import Node
    from expandcontract.pg.locks.world import World
    from expandcontract.pg.parsed import Statement

RULES: dict[str, Callable[[Node, World], list[Piece]]] = {
    "alter_table_stmt": alter.alter,
    "alter_domain_stmt": others.alter_domain,
    "alter_object_schema_stmt": others.set_schema,
    "alter_seq_stmt": others.alter_sequence,
    "cluster_stmt": others.cluster,
    "comment_stmt": others.comment,
    "create_domain_stmt": create.create_domain,
    "create_publication_stmt": create.create_publication,
    "create_seq_stmt": create.create_sequence,
    "create_stats_stmt": create.create_statistics,
    "create_stmt": create.create_table,
    "create_table_as_stmt": create.create_as,
    "create_trig_stmt": create.create_trigger,
    "drop_stmt": drops.drop,
    "grant_stmt": others.grant,
    "index_stmt": create.create_index,
    "lock_stmt": others.lock,
    "refresh_mat_view_stmt": others.refresh,
    "reindex_stmt": others.reindex,
    "rename_stmt": others.rename,
    "select_stmt": queries.query,
    "truncate_stmt": others.truncate,
    "vacuum_stmt": others.vacuum,
    "variable_set_stmt": others.set_variable,
    "view_stmt": create.create_view,
}
NAMED = {
    "rule_stmt": ("create rule", "relation"),
    "create_policy_stmt": ("create policy", "table"),
    "alter_policy_stmt": ("alter policy", "table"),
}
LOCKLESS = {
    "alter_enum_stmt": "add enum value",
    "alter_function_stmt": "alter function",
    "composite_type_stmt": "create type",
    "create_enum_stmt": "create type",
    "create_function_stmt": "create function",
    "create_schema_stmt": "create schema",
    "transaction_stmt": "set",
    "variable_show_stmt": "set",
}


def pieces(statement: Statement, world: World) -> list[Piece]:
    """The forms that a statement is made of; ``unknown`` where no rule knows it. The world is then as it leaves it."""
    kind, node = statement.kind, statement.node
    if kind in RULES:
        return RULES[kind](node, world)
    if kind in queries.CHANGES:
        return queries.change(kind, node, world)
    if kind in NAMED:
        form, field = NAMED[kind]
        return [target(world, range_var(world, node[field])).piece(form)]
    if kind == "create_enum_stmt":
        made = names(node["type_name"])[-1]
        world.types[made] = Type(base=made)
    if kind == "alter_enum_stmt" and "old_val" in node:
        return [Piece(form="rename enum value")]
    if kind == "copy_stmt":
        return queries.copy(node, world)
    return [Piece(form=LOCKLESS.get(kind, "unknown"))]
