"""EC202: an expand or ordinary revision takes a name away by renaming."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Action, Revision


def _check(revision: Revision) -> Iterator[Hit]:
    if not revision.additive:
        return
    # a view that takes the table's old name keeps old releases running
    kept = {action.name for _, action in revision.actions(Part.UPGRADE) if action.kind is Kind.CREATE}
    for statement, action in revision.on_live(Part.UPGRADE):
        if action.kind is Kind.RENAME_TABLE and (f"view {action.table}" not in kept or statement.autocommit):
            yield _hit(statement.line, action, _new("rename-table", action.table, action.name))
        elif action.kind is Kind.RENAME_COLUMN and action.table is not None:
            yield _hit(statement.line, action, _new("rename-column", action.table, action.column, action.name))
        elif action.kind is Kind.RENAME:
            yield _hit(statement.line, action, "make the new one beside the old, and drop the old one in a contract")


def _new(*words: object) -> str:
    return shlex.join(["ec", "new", *map(str, words)])


def _hit(line: int, action: Action, fix: str) -> Hit:
    become = f" to {action.name}" if action.table is not None else ""
    return Hit(line=line, what=f"renames {action.target}{become}", fix=fix)


RULE = Rule(
    code="EC202",
    name="rename-in-expand",
    severity=Severity.ERROR,
    summary="An expand or ordinary revision renames what a running release uses by its name.",
    why="No order of deploy and rename is right: before it the new release fails, after it the old one does. "
    "Two shapes beside each other, kept equal, let both run.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.alter_column("users", "full_name", new_column_name="display_name")
""",
    ),
    good=Example(
        half=Half.EXPAND,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.begin_change(change)


def downgrade() -> None:
    op.end_change(change)
    op.drop_column("users", "display_name")
""",
    ),
    covers=frozenset({"renaming-column", "renaming-table", "renaming-object", "ban-set-schema"}),
)
