"""EC220: a statement writes every row of a table anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.lint.effects import live_effects, shown
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule
from expandcontract.lint.widening import widens

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    for statement, effect in live_effects(revision):
        if effect.rewrites and not all(map(widens, statement.actions)):
            yield Hit(
                line=statement.line,
                what=f"writes every row of {shown(effect.rewrites)} anew ({effect.form})",
                fix="add the column without it and NULL, set the default in a statement of its own for new rows, "
                "and let a pair fill the old ones:\n  ec new change-type …, ec new add-column …",
            )


RULE = Rule(
    code="EC220",
    name="table-rewrite",
    severity=Severity.ERROR,
    summary="A statement rewrites a table that is in use.",
    why="The table can be neither read nor written until the last row is written, and so long it needs its own size of "
    "disk again. A volatile default, a serial or identity column, a stored generated column and most changes of "
    "type do this; a constant default does not.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()")))
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("token", sa.Uuid()))
    op.alter_column("users", "token", server_default=sa.text("gen_random_uuid()"))
""",
    ),
    yields_to=frozenset({"EC203"}),
    covers=frozenset({"adding-field-with-default", "adding-serial-primary-key-field", "prefer-repack"}),
)
