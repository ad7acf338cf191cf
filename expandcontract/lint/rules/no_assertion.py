"""EC212: a contract does not begin with the server's own refusal."""

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
    steps = [step for step in revision.actions(Part.UPGRADE) if step[1].kind is not Kind.SETTING]
    kinds = [action.kind for _, action in steps]
    if not kinds or kinds[0] is Kind.ASSERT_CONTRACT:
        return
    late = Kind.ASSERT_CONTRACT in kinds
    yield Hit(
        line=steps[kinds.index(Kind.ASSERT_CONTRACT) if late else 0][0].line,
        what="op.assert_contract(change) comes after other statements" if late else "op.assert_contract is missing",
        fix="let upgrade() begin with\n  op.assert_contract(change)",
    )


RULE = Rule(
    code="EC212",
    name="no-assertion",
    severity=Severity.ERROR,
    summary="A contract's upgrade() does not begin with op.assert_contract.",
    why="The assertion lets the server itself refuse a contract before its time. A script that `alembic upgrade --sql` "
    "wrote passes no gate and no guard: this line is all that stands before the drop.",
    check=_check,
    bad=Example(
        half=Half.CONTRACT,
        source="""def upgrade() -> None:
    op.end_change(change)
    op.drop_column("users", "full_name")
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
