"""Keeps autogenerate and ``alembic check`` quiet about what open changes explain and about our own schema.

What was found is filtered, operation by operation, before the project's own hook sees it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.revisions.project import CONTRACT, ancestors, half_of

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from alembic.util import CommandError

SCHEMA = "expandcontract"
NOT_CURRENT = "Target database is not up to date."


def keep_quiet(migration: MigrationContext, script: Any) -> None:
    """Let the comparison pass over schema ``expandcontract``, and drop from its result what open changes explain.

    Args:
        migration: Alembic's context, configured.
        script: The project's revisions.
    """
    options = migration.opts
    name_before = options.get("include_name")
    hook_before = options.get("process_revision_directives")

    def include_name(name: Any, kind: str, parents: Any) -> bool:
        if (kind == "schema" and name == SCHEMA) or parents.get("schema_name") == SCHEMA:
            return False
        return name_before is None or bool(name_before(name, kind, parents))

    def directives_hook(context: MigrationContext, revision: Any, directives: Any) -> None:
        for directive in directives:
            found, back = directive.upgrade_ops_list[-1], directive.downgrade_ops_list[-1]
            if found.ops and context.connection is not None:
                from expandcontract.revisions.unexplained import unexplained  # noqa: PLC0415  # it loads a parser

                left = unexplained(found.ops, context.connection, script)
                if left != found.ops:
                    found.ops[:] = left
                    found.reverse_into(back)
        if hook_before is not None:
            hook_before(context, revision, directives)

    options["include_name"] = include_name
    options["process_revision_directives"] = directives_hook


def up_to_date_but_for_contracts(exc: CommandError, script: Any, heads: Any) -> Any:
    """The script's heads, where the database lacks nothing but contracts still to come; else ``None``."""
    if NOT_CURRENT not in str(exc):
        return None
    there = ancestors(script, heads)
    pending = [revision for revision in script.walk_revisions() if revision.revision not in there]
    waiting = all((half_of(revision) or ("", ""))[1] == CONTRACT for revision in pending)
    return tuple(head.revision for head in script.get_revisions("heads")) if pending and waiting else None
