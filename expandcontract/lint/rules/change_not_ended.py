"""EC213: triggers and hold are still there when a shape is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision

DROPS = {Kind.DROP_COLUMN, Kind.DROP_TABLE}


def _check(revision: Revision) -> Iterator[Hit]:
    if not revision.held or revision.half is None:
        return
    part = Part.UPGRADE if revision.half is Half.CONTRACT else Part.DOWNGRADE
    steps = list(revision.actions(part))
    kinds = [action.kind for _, action in steps]
    drop = next((at for at, kind in enumerate(kinds) if kind in DROPS), None)
    if drop is None and (revision.half is Half.EXPAND or Kind.END_CHANGE in kinds or not kinds):
        return
    end = kinds.index(Kind.END_CHANGE) if Kind.END_CHANGE in kinds else None
    if end is not None and drop is not None and end < drop:
        return
    yield Hit(
        line=steps[drop or 0][0].line,
        what=f"{part}() {'drops before op.end_change' if end is not None else 'has no op.end_change'}",
        fix="put in front of the first drop\n  op.end_change(change)",
    )


RULE = Rule(
    code="EC213",
    name="change-not-ended",
    severity=Severity.ERROR,
    summary="A contract, or an expand's downgrade, drops before op.end_change or without it.",
    why="The hold refuses the drop while it is there. A trigger that outlives a column it names fails every write to "
    "the table.",
    check=_check,
    bad=Example(
        half=Half.CONTRACT,
        source="""def upgrade() -> None:
    op.assert_contract(change)
    op.drop_column("users", "full_name")
    op.end_change(change)
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
