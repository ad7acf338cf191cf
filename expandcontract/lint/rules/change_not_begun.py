"""EC214: an expand makes the new shape and does not put it under the change's protection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    if revision.half is not Half.EXPAND or not revision.held:
        return
    steps = list(revision.actions(Part.UPGRADE))
    begun = next((at for at, (_, action) in enumerate(steps) if action.kind is Kind.BEGIN_CHANGE), None)
    fix = "let upgrade() end with\n  op.begin_change(change)"
    if begun is None:
        stopped = any(found.part is Part.UPGRADE for found in revision.stopped)
        if steps and not stopped:
            yield Hit(line=steps[-1][0].line, what="op.begin_change is missing", fix=fix)
        return
    for statement, action in steps[begun + 1 :]:
        if action.kind is Kind.ADD_COLUMN and (action.table, action.column) in revision.needed:
            yield Hit(line=statement.line, what=f"adds {action.target} after op.begin_change, which needs it", fix=fix)


RULE = Rule(
    code="EC214",
    name="change-not-begun",
    severity=Severity.ERROR,
    summary="An expand whose change has a hold does not call op.begin_change, or calls it too early.",
    why="Without its triggers a write to one shape never reaches the other, and without its hold anybody may drop "
    "either of them.",
    check=_check,
    bad=Example(
        half=Half.EXPAND,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text()))


def downgrade() -> None:
    op.end_change(change)
    op.drop_column("users", "display_name")
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
)
