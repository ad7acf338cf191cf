"""EC230: rows are written by a migration instead of a backfill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Kind
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Action, Revision

VERBS = {
    Kind.UPDATE: "updates",
    Kind.DELETE: "deletes from",
    Kind.INSERT: "copies rows into",
    Kind.MERGE: "merges rows into",
}
ALL = {Kind.UPDATE, Kind.DELETE}


def _check(revision: Revision) -> Iterator[Hit]:
    for statement, action in revision.on_live(*revision.live_parts):
        if action.kind in VERBS and (action.kind is not Kind.INSERT or action.says("select")):
            where = ", all its rows" if action.kind in ALL and not action.says("where") else ""
            yield Hit(
                line=statement.line,
                what=f"{VERBS[action.kind]} {action.target}{where}",
                fix=_fix(action),
                severity=Severity.WARNING if action.says("where") else None,
            )


def _fix(action: Action) -> str:
    if action.kind is Kind.UPDATE:
        return "declare the value in the change's mapping, and let ec backfill write it in short batches"
    advice = "do it outside a migration, in batches; a few rows of reference data may stay, with a reason:"
    return f"{advice}\n  # ec: ignore EC230 because …"


RULE = Rule(
    code="EC230",
    name="backfill-in-migration",
    severity=Severity.ERROR,
    summary="A migration writes many rows of a table in use.",
    why="In one transaction every row it wrote stays locked until the last is written, the table grows to twice its "
    "size, replicas lag, and vacuum waits. A value taken from a snapshot also undoes what the application wrote "
    "meanwhile. With a WHERE it may be a few rows; the revision cannot tell.",
    check=_check,
    bad=Example(
        half=Half.EXPAND,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.execute("UPDATE users SET display_name = full_name")
    op.begin_change(change)


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


def downgrade() -> None:
    op.end_change(change)
    op.drop_column("users", "display_name")
""",
    ),
)
