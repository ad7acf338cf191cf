"""EC206: a default goes that a running release may rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    if not revision.additive:
        return
    for statement, action in revision.on_live(Part.UPGRADE):
        if action.kind is Kind.DROP_DEFAULT and (action.table, action.column) not in revision.added:
            yield Hit(
                line=statement.line,
                what=f"drops the default of {action.target}",
                fix=f"drop it once every release writes {action.column} itself, and say so in a comment:\n"
                "  # ec: ignore EC206 because every release since … writes it",
            )


RULE = Rule(
    code="EC206",
    name="default-dropped",
    severity=Severity.WARNING,
    summary="An expand or ordinary revision drops the default of a column that is there.",
    why="A release that leaves the column out of its INSERTs writes NULL from now on, or fails where the column is "
    "NOT NULL. Whether one does, the revision cannot tell.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.alter_column("users", "visits", server_default=None)
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    # another default breaks nobody, and later rows alone get it
    op.alter_column("users", "visits", server_default="1")
""",
    ),
    covers=frozenset({"ban-drop-default"}),
)
