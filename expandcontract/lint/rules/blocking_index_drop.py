"""EC224: an index is dropped under a lock that stops reads and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    made = {action.name for _, action in revision.actions(Part.UPGRADE) if action.kind is Kind.CREATE_INDEX}
    for statement, action in revision.actions(Part.UPGRADE):
        if action.kind is Kind.DROP_INDEX and not action.says("concurrently") and action.name not in made:
            yield Hit(
                line=statement.line,
                what=f"drops index {action.name} and stops every read and write of its table",
                fix="drop it concurrently, alone in its revision:\n"
                "  with op.get_context().autocommit_block():\n"
                f'      op.drop_index("{action.name}", postgresql_concurrently=True)',
            )


RULE = Rule(
    code="EC224",
    name="blocking-index-drop",
    severity=Severity.WARNING,
    summary="An index is dropped, and not concurrently.",
    why="DROP INDEX itself is quick, but it takes ACCESS EXCLUSIVE on the table: it waits for every transaction there, "
    "and all others wait behind it. CONCURRENTLY waits alone. The index of a partitioned table cannot be dropped "
    "concurrently; pass over it there.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.drop_index("ix_users_nick", "users")
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_users_nick", "users", postgresql_concurrently=True)
""",
    ),
    covers=frozenset({"require-concurrent-index-deletion", "ban-drop-index"}),
)
