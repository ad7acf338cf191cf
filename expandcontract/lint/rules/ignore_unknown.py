"""EC251: a comment would pass over a code that no rule has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    for comment in revision.ignores:
        for code in comment.unknown:
            yield Hit(
                line=comment.line,
                what=f"no finding of {code} can be passed over",
                fix="write the code as the finding has it; the comments' own findings cannot be passed over",
            )


RULE = Rule(
    code="EC251",
    name="ignore-unknown",
    severity=Severity.ERROR,
    summary="A comment names a code that no rule has.",
    why="A mistyped code passes over nothing, and looks as if it did.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("locale", sa.Text()))  # ec: ignore EC299 because it is new
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
