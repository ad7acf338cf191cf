"""EC216: an expand that cannot be taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    if revision.half is not Half.EXPAND or revision.irreversible:
        return
    first = next((statement for statement, _ in revision.actions(Part.UPGRADE)), None)
    back = any(True for _ in revision.actions(Part.DOWNGRADE))
    if first is None or back:
        return
    stop = next((found for found in revision.stopped if found.part is Part.DOWNGRADE), None)
    yield Hit(
        line=stop.line if stop else first.line,
        what=f"downgrade() raises {stop.reason}" if stop else "downgrade() does nothing",
        fix="take back in downgrade() what upgrade() made, after op.end_change(change); where that cannot be done\n"
        '  change = Change(…, irreversible="because …")',
    )


RULE = Rule(
    code="EC216",
    name="no-way-back",
    severity=Severity.WARNING,
    summary="An expand's downgrade() takes nothing back.",
    why="`ec rollback` of an expanded change calls it. Without it the way back ends with the new shape left in place, "
    "and expanding again fails on it.",
    check=_check,
    bad=Example(
        half=Half.EXPAND,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.begin_change(change)


def downgrade() -> None:
    pass
""",
    ),
    good=Example(
        half=Half.EXPAND,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.begin_change(change)


def downgrade() -> None:
    op.end_change(change)
    op.drop_column("users", "display_name")
""",
    ),
)
