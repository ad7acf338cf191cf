"""Keeps autogenerate and ``alembic check`` quiet about what open changes hold and about our own schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.revisions.project import CONTRACT, ancestors, half_of

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from alembic.util import CommandError

    from expandcontract.core.shape import Hold

SCHEMA = "expandcontract"
NOT_CURRENT = "Target database is not up to date."


def keep_quiet(migration: MigrationContext, held: tuple[Hold, ...]) -> None:
    """Let the comparison pass over schema ``expandcontract``, and over columns and whole tables that changes hold."""
    options = migration.opts
    name_before = options.get("include_name")
    object_before = options.get("include_object")
    governed = {(hold.table.schema, hold.table.name, column) for hold in held for column in hold.columns}

    def include_name(name: Any, kind: str, parents: Any) -> bool:
        if (kind == "schema" and name == SCHEMA) or parents.get("schema_name") == SCHEMA:
            return False
        return name_before is None or bool(name_before(name, kind, parents))

    def include_object(item: Any, name: Any, kind: str, reflected: bool, compare_to: Any) -> bool:  # noqa: FBT001  # Alembic's signature
        if kind == "table" and item.columns and {_place(column) for column in item.columns} <= governed:
            return False
        if any(_place(column) in governed for column in _columns(item, kind)):
            return False
        return object_before is None or bool(object_before(item, name, kind, reflected, compare_to))

    options["include_name"] = include_name
    options["include_object"] = include_object


def _columns(item: Any, kind: str) -> list[Any]:
    if kind == "column":
        return [item]
    return [] if kind == "table" else list(getattr(item, "columns", ()))


def _place(column: Any) -> tuple[str, str, str]:
    table = column.table
    return (table.schema or "public", table.name, column.name)


def up_to_date_but_for_contracts(exc: CommandError, script: Any, heads: Any) -> Any:
    """The script's heads, where the database lacks nothing but contracts still to come; else ``None``."""
    if NOT_CURRENT not in str(exc):
        return None
    there = ancestors(script, heads)
    pending = [revision for revision in script.walk_revisions() if revision.revision not in there]
    waiting = all((half_of(revision) or ("", ""))[1] == CONTRACT for revision in pending)
    return tuple(head.revision for head in script.get_revisions("heads")) if pending and waiting else None
