"""EC215: a seal runs something that cannot be made online step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    for statement, action in revision.actions(Part.SEAL):
        if action.kind is not Kind.SEAL:
            yield Hit(
                line=statement.line,
                what=f"seal() runs {action}",
                fix="use op.create_index or op.seal_…, and move other statements into upgrade()",
            )


RULE = Rule(
    code="EC215",
    name="seal-does-more",
    severity=Severity.ERROR,
    summary="seal() does something else than make indexes and constraints.",
    why="A seal is not run as written: its steps are read as data and each is made without stopping reads or writes, "
    "as often as needed. For any other statement there is no such way, and the move refuses.",
    check=_check,
    bad=Example(
        half=Half.EXPAND,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.begin_change(change)


def seal() -> None:
    op.alter_column("users", "display_name", nullable=False)


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


def seal() -> None:
    op.seal_not_null("users", "display_name")


def downgrade() -> None:
    op.end_change(change)
    op.drop_column("users", "display_name")
""",
    ),
)
