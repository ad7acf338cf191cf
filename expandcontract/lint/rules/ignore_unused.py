"""EC252: a comment passes over a finding that is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    for comment in revision.ignores:
        for code in comment.unused:
            yield Hit(
                line=comment.line,
                what=f"there is no finding of {code} here to pass over",
                fix=f"take {code} out of the comment, or move the comment to the statement that it means",
            )


RULE = Rule(
    code="EC252",
    name="ignore-unused",
    severity=Severity.WARNING,
    summary="A comment passes over nothing.",
    why="It would hide the next finding of that code in its place, for a reason that was given for another one.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    # ec: ignore EC220 because the table is small
    op.add_column("users", sa.Column("locale", sa.Text()))
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("locale", sa.Text()))
""",
    ),
    last=True,
)
