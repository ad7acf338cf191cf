"""EC203: an expand or ordinary revision changes the type of a column that releases use."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from expandcontract.core.revision import Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule
from expandcontract.lint.widening import widens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    if not revision.additive:
        return
    for statement, action in revision.on_live(Part.UPGRADE):
        if (
            action.kind is Kind.CHANGE_TYPE
            and (action.table, action.column) not in revision.added
            and not widens(action)
        ):
            unsaid = "" if action.old_type else " (its type now is not said: existing_type=… tells a mere widening)"
            yield Hit(
                line=statement.line,
                what=f"changes the type of {action.target} to {action.type}{unsaid}",
                fix=shlex.join(["ec", "new", "change-type", str(action.table), str(action.column), str(action.type)]),
            )


RULE = Rule(
    code="EC203",
    name="retype-in-expand",
    severity=Severity.ERROR,
    summary="An expand or ordinary revision changes the type of a column that is there.",
    why="A running release reads and writes the old type: its prepared statements fail, its values may not fit. "
    "Most changes of type also write every row anew while nobody can read the table.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.alter_column("users", "visits", type_=sa.BigInteger(), existing_type=sa.Integer())
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    # longer only: no row is written anew, and every old value fits
    op.alter_column("users", "nick", type_=sa.String(80), existing_type=sa.String(40))
""",
    ),
    covers=frozenset({"changing-column-type"}),
)
