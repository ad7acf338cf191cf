"""EC207: rights or rows are withheld from releases that are live."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision

OFTEN_MEANT = ("create",)


def _check(revision: Revision) -> Iterator[Hit]:
    if not revision.additive:
        return
    for statement, action in revision.on_live(Part.UPGRADE):
        if action.kind is Kind.RESTRICT:
            on = f" on {action.table}" if action.table else ""
            mild = (action.name or "").startswith(OFTEN_MEANT)
            yield Hit(
                line=statement.line,
                what=f"{action.name}{on}",
                fix="do it in the contract half of a pair, once no release is live that would miss it",
                severity=Severity.WARNING if mild else None,
            )


RULE = Rule(
    code="EC207",
    name="access-taken",
    severity=Severity.ERROR,
    summary="An expand or ordinary revision revokes rights, or hides rows, that a running release may use.",
    why="The release that is live gets `permission denied`, or silently fewer rows, at its next statement.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.execute("REVOKE UPDATE ON users FROM app_blue")
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    op.execute("GRANT SELECT ON users TO reports")
""",
    ),
    covers=frozenset({"ban-revoke", "ban-alter-row-level-security", "ban-create-policy"}),
)
