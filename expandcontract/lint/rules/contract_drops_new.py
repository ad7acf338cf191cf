"""EC211: a contract drops what the release that is live needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    if revision.half is not Half.CONTRACT:
        return
    tables = {table for table, _ in revision.needed}
    for statement, action in revision.actions(Part.UPGRADE):
        column = action.kind is Kind.DROP_COLUMN and (action.table, action.column) in revision.needed
        table = action.kind in {Kind.DROP_TABLE, Kind.TRUNCATE} and action.table in tables
        if column or table:
            yield Hit(
                line=statement.line,
                what=f"drops {action.target}, which belongs to the new shape of {revision.change}",
                fix="drop the old shape: the columns on the reverse side of the change's mapping",
            )


RULE = Rule(
    code="EC211",
    name="contract-drops-new",
    severity=Severity.ERROR,
    summary="A contract drops a column of its own change's new shape.",
    why="When a contract runs, the live release reads and writes the new shape alone. Dropping it loses what was "
    "written since cut-over, and no release works any more.",
    check=_check,
    bad=Example(
        half=Half.CONTRACT,
        source="""def upgrade() -> None:
    op.assert_contract(change)
    op.end_change(change)
    op.drop_column("users", "display_name")
""",
    ),
    good=Example(
        half=Half.CONTRACT,
        source="""def upgrade() -> None:
    op.assert_contract(change)
    op.end_change(change)
    op.drop_column("users", "full_name")
""",
    ),
)
