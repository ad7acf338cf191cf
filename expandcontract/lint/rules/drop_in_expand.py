"""EC201: an expand or ordinary revision takes away what a running release may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Action, Revision

USED_BY_NAME = (
    "view", "materialized", "function", "procedure", "aggregate", "routine", "type", "attribute", "domain", "schema",
    "sequence", "extension", "foreign", "operator", "cast", "collation", "role", "owned", "database",
)  # fmt: skip


def _check(revision: Revision) -> Iterator[Hit]:
    if not revision.additive:
        return
    made = {action.name for _, action in revision.actions(Part.UPGRADE) if action.kind is Kind.CREATE}
    for statement, action in revision.on_live(Part.UPGRADE):
        # dropped and made anew in one transaction: nobody sees it missing
        replaced = action.name in made and not statement.autocommit
        if _takes(action) and not replaced:
            verb = "empties" if action.kind is Kind.TRUNCATE else "drops"
            where = "an expand" if revision.half else "an ordinary revision"
            yield Hit(line=statement.line, what=f"{verb} {action.target} in {where}", fix=_fix(revision, action))


def _takes(action: Action) -> bool:
    if action.kind is Kind.DROP:
        return (action.name or "").startswith(USED_BY_NAME)
    return action.kind in {Kind.DROP_TABLE, Kind.DROP_COLUMN, Kind.TRUNCATE}


def _fix(revision: Revision, action: Action) -> str:
    if action.kind is Kind.TRUNCATE:
        return "empty it once no release that reads it is live; outside a migration"
    if revision.half is Half.EXPAND:
        return (
            f"move the drop of {action.target} into the contract half of {revision.change}, after op.end_change(change)"
        )
    return f"drop {action.target} in the contract half of a pair, which waits until no release uses it"


RULE = Rule(
    code="EC201",
    name="drop-in-expand",
    severity=Severity.ERROR,
    summary="An expand or ordinary revision drops or empties what a running release may use.",
    why="Releases that use it are live while an expand runs and after it: their next statement fails, and what is "
    "dropped does not come back. A contract waits until nobody uses it; an expand does not.",
    check=_check,
    bad=Example(
        half=Half.EXPAND,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.begin_change(change)
    op.drop_column("users", "full_name")


def downgrade() -> None:
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
    covers=frozenset(
        {
            "ban-drop-column",
            "ban-drop-table",
            "ban-drop-view",
            "ban-drop-function",
            "ban-drop-type",
            "ban-drop-schema",
            "ban-drop-sequence",
            "ban-drop-domain",
            "ban-drop-extension",
            "ban-drop-database",
            "ban-truncate-cascade",
        }
    ),
)
