"""EC222: a constraint is added and checked against every row in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Action, Revision

SEALS = {"check": "op.seal_check", "foreign key": "op.seal_foreign_key", "unique": "op.seal_unique",
         "primary key": "op.seal_unique", "not null": "op.seal_not_null"}  # fmt: skip
LATER = ("not valid", "using index", "not enforced")
INLINE = ("check", "foreign key", "unique")


def _check(revision: Revision) -> Iterator[Hit]:
    for statement, action in revision.on_live(*revision.live_parts):
        if _checks_rows(action):
            kind = next((word for word in SEALS if action.says(word)), "exclusion")
            kind = "not null" if action.kind is Kind.SET_NOT_NULL else kind
            seal = SEALS.get(kind, "NOT VALID, and VALIDATE CONSTRAINT later")
            where = "with its column" if action.kind is Kind.ADD_COLUMN else "and checks every row at once"
            yield Hit(
                line=statement.line,
                what=f"adds a {kind} constraint to {action.table} {where}",
                fix=f"move it into seal(), where it is added NOT VALID and validated apart:\n  {seal}(…)",
                # nobody waits for a roll-back to planned, so that a quiet hour may be chosen for it
                severity=Severity.WARNING if statement.part is Part.DOWNGRADE else None,
            )


def _checks_rows(action: Action) -> bool:
    if action.kind is Kind.ADD_CONSTRAINT:
        return not any(action.says(word) for word in LATER)
    inline = action.kind is Kind.ADD_COLUMN and any(action.says(word) for word in INLINE)
    return inline or action.kind is Kind.SET_NOT_NULL


RULE = Rule(
    code="EC222",
    name="data-dependent-constraint",
    severity=Severity.ERROR,
    summary="A constraint is added and checked against the rows that are there in one statement.",
    why="It fails if a single row breaks it, in the middle of a deploy; and while every row is read nobody writes to "
    "the table, and to the table that a foreign key refers to. Added NOT VALID it holds for new rows at once; "
    "VALIDATE then reads the old ones and lets everybody pass.",
    check=_check,
    bad=Example(
        half=Half.EXPAND,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("display_name", sa.Text()))
    op.create_check_constraint("display_name_short", "users", "length(display_name) < 200")
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


def seal() -> None:
    op.seal_check("display_name_short", "users", "length(display_name) < 200")


def downgrade() -> None:
    op.end_change(change)
    op.drop_column("users", "display_name")
""",
    ),
    yields_to=frozenset({"EC204", "EC210"}),
    covers=frozenset(
        {
            "constraint-missing-not-valid",
            "adding-foreign-key-constraint",
            "disallowed-unique-constraint",
            "adding-not-nullable-field",
        }
    ),
)
