"""EC240: a statement that could not be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Kind
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    for statement, action in revision.actions(*revision.live_parts):
        if action.kind is Kind.UNKNOWN:
            yield Hit(
                line=statement.line,
                what=f"what {action.name or 'this statement'} does is not known: no rule judged it",
                fix="read it against the rules yourself; write plain statements instead of a DO block",
            )


RULE = Rule(
    code="EC240",
    name="not-classified",
    severity=Severity.NOTE,
    summary="A statement could not be placed, so no rule judged it.",
    why="The body of a DO block or of a function of your own may do anything.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.execute("DO $$ BEGIN PERFORM tidy_up(); END $$")
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
""",
    ),
)
