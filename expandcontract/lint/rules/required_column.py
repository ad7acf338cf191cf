"""EC205: a new column that must be filled, and that no old release fills."""

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
        required = action.says("not null") or action.says("primary key")
        if action.kind is Kind.ADD_COLUMN and required and not action.says("default"):
            yield Hit(
                line=statement.line,
                what=f"adds {action.target}, NOT NULL and without a default",
                fix="give it a constant server_default, or let it be NULL now and demand it later in seal():\n"
                f'  op.seal_not_null("{action.table}", "{action.column}")',
            )


RULE = Rule(
    code="EC205",
    name="required-column",
    severity=Severity.ERROR,
    summary="A column is added that must be filled and has no default.",
    why="The release that is live does not name the column in its INSERTs: each of them fails. "
    "On a table with rows the statement itself fails.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("locale", sa.Text(), nullable=False))
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("locale", sa.Text(), nullable=False, server_default="en"))
""",
    ),
    covers=frozenset({"adding-required-field", "adding-not-nullable-field"}),
)
