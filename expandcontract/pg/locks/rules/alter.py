"""ALTER TABLE, and the same grammar for views, indexes and sequences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.pg.locks.names import range_var
from expandcontract.pg.locks.rules import columns, constraints, partitions
from expandcontract.pg.locks.rules.target import Target, target
from expandcontract.pg.locks.table import Piece

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.pg.locks.parse import Node
    from expandcontract.pg.locks.world import World

UNKNOWN = Piece(form="unknown")
TURNS = (
    "AT_DropColumn",
    "AT_DropConstraint",
    "AT_DropNotNull",
    "AT_AlterColumnType",
    "AT_AddColumn",
    "AT_SetExpression",
    "AT_AddConstraint",
    "AT_SetNotNull",
)
ON_TABLE = {
    "AT_ChangeOwner": "owner",
    "AT_ReplicaIdentity": "replica identity",
    "AT_SetLogged": "set logged",
    "AT_SetUnLogged": "set unlogged",
    "AT_SetRelOptions": "set table option",
    "AT_ResetRelOptions": "set table option",
    "AT_ReplaceRelOptions": "set table option",
    "AT_ClusterOn": "cluster on",
    "AT_DropCluster": "cluster on",
    **dict.fromkeys(
        ("AT_EnableRowSecurity", "AT_DisableRowSecurity", "AT_ForceRowSecurity", "AT_NoForceRowSecurity"),
        "row security",
    ),
    **dict.fromkeys(
        (
            "AT_EnableTrig",
            "AT_EnableAlwaysTrig",
            "AT_EnableReplicaTrig",
            "AT_DisableTrig",
            "AT_EnableTrigAll",
            "AT_DisableTrigAll",
            "AT_EnableTrigUser",
            "AT_DisableTrigUser",
        ),
        "enable or disable trigger",
    ),
}
ON_INDEX = {
    "AT_SetRelOptions": "set index option",
    "AT_ResetRelOptions": "set index option",
    "AT_SetStatistics": "set index statistics",
}
ON_VIEW = {
    "AT_SetRelOptions": "set view option",
    "AT_ResetRelOptions": "set view option",
    "AT_ChangeOwner": "set view option",
    "AT_ColumnDefault": "set view option",
}
LIGHT_OPTIONS = frozenset({"fillfactor", "parallel_workers", "n_distinct", "n_distinct_inherited"})


def alter(node: Node, world: World) -> list[Piece]:
    """The forms of all actions of one statement, in order."""
    name = range_var(world, node["relation"])
    commands = [found["alter_table_cmd"] for found in node["cmds"]]
    if node.get("missing_ok") and world.source.complete and world.get(name) is None:
        return [Piece(form="alter table, not there")]
    if node["objtype"] == "OBJECT_INDEX":
        return _alter_index(world, name, commands)
    if node["objtype"] in {"OBJECT_VIEW", "OBJECT_MATVIEW"}:
        forms = [ON_VIEW.get(command["subtype"], "unknown") for command in commands]
        return [Piece(form=form, roles={"view": (name,)}, assumed=not world.need(name).known) for form in forms]
    if node["objtype"] == "OBJECT_SEQUENCE":
        return [UNKNOWN]
    at = target(world, name, family=bool(node["relation"].get("inh")))
    return [piece for command in sorted(commands, key=_turn) for piece in _action(at, command)]


def _turn(command: Node) -> int:
    """When PostgreSQL does an action of a statement: what is dropped is gone before it could prove anything."""
    kind = command["subtype"]
    if kind == "AT_ColumnDefault":
        return TURNS.index("AT_AddConstraint") if "def" in command else 0
    return TURNS.index(kind) if kind in TURNS else len(TURNS)


def _action(at: Target, command: Node) -> list[Piece]:
    kind = command["subtype"]
    handler: Callable[[Target, Node], list[Piece]] | None = (
        columns.ACTIONS.get(kind) or constraints.ACTIONS.get(kind) or partitions.ACTIONS.get(kind)
    )
    if handler is not None:
        return handler(at, command)
    form = ON_TABLE.get(kind)
    if form is None or (form == "set table option" and not _is_light(command)):
        return [UNKNOWN]
    return [at.piece(form)]


def _is_light(command: Node) -> bool:
    """Whether all options are among those that need no more than SHARE UPDATE EXCLUSIVE.

    https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-STORAGE-PARAMETERS
    """
    options = [found["def_elem"]["defname"] for found in command["def"]["list"]["items"]]
    return all(
        found in LIGHT_OPTIONS or found.startswith(("autovacuum_", "log_autovacuum", "vacuum_")) for found in options
    )


def _alter_index(world: World, name: tuple[str, str], commands: list[Node]) -> list[Piece]:
    pieces = []
    for command in commands:
        index = world.need(name)
        if command["subtype"] == "AT_AttachPartition":
            pieces.append(_attach_index(world, name, range_var(world, command["def"]["partition_cmd"]["name"])))
            continue
        form = ON_INDEX.get(command["subtype"], "unknown")
        kind = "partitioned" if index.kind == "I" else "plain"
        pieces.append(
            Piece(
                form=form,
                kind=kind,
                roles={"index": (name,), "leaf index": world.descendants(name)},
                assumed=not index.known,
            )
        )
    return pieces


def _attach_index(world: World, name: tuple[str, str], child: tuple[str, str]) -> Piece:
    index, part = world.need(name), world.need(child)
    if part.table is not None and child in (indexes := world.need(part.table).indexes):
        indexes[child].attached = True
    return Piece(
        form="attach index",
        kind="partitioned",
        assumed=not (index.known and part.known),
        roles={
            "index": (name,),
            "leaf index": (child,),
            "table": (index.table,) if index.table else (),
            "leaf": (part.table,) if part.table else (),
        },
    )
