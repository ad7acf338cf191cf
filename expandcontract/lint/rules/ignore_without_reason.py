"""EC250: a comment would pass over a finding and does not say why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    for comment in revision.ignores:
        if not comment.reason or not comment.codes:
            code = comment.codes[0] if comment.codes else "EC…"
            missing = "no reason" if comment.codes else "no code"
            yield Hit(
                line=comment.line,
                what=f"this comment gives {missing}, so it passes over nothing",
                fix=f"say why, for whoever reads it next year:\n  # ec: ignore {code} because …",
            )


RULE = Rule(
    code="EC250",
    name="ignore-without-reason",
    severity=Severity.ERROR,
    summary="A comment that passes over a finding gives no reason, or no code.",
    why="The reason is what a reviewer judges: the finding stays true, and somebody has to say why it does no harm.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.drop_table("legacy_flags")  # ec: ignore EC201
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    op.drop_table("legacy_flags")  # ec: ignore EC201 because no release since 2024 reads it
""",
    ),
    last=True,
)
