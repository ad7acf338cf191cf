"""EC227: a revision takes away the limits under which DDL waits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from expandcontract.core.revision import Kind
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Action, Revision

OFF = re.compile(r"-?0+ *[a-z]*|-1|default")
LIMITS = {"lock_timeout", "statement_timeout", "transaction_timeout"}


def _check(revision: Revision) -> Iterator[Hit]:
    for statement, action in revision.actions(*revision.live_parts):
        # a concurrent build may wait for old snapshots; it queues nobody behind it
        if _off(action) and not statement.autocommit:
            yield Hit(
                line=statement.line,
                what=f"sets {action.column} to {action.name}, so that nothing limits it",
                fix="leave it out: the guard in env.py and ec set it; where more time is needed, give a number\n"
                f"""  op.execute("SET LOCAL {action.column} = '5s'")""",
            )


def _off(action: Action) -> bool:
    known = (action.kind is Kind.SETTING and action.column in LIMITS) or action.column == "all"
    return known and OFF.fullmatch(action.name or "") is not None


RULE = Rule(
    code="EC227",
    name="timeout-off",
    severity=Severity.ERROR,
    summary="A revision turns lock_timeout or statement_timeout off.",
    why="DDL that waits for its lock makes every later statement on that table wait behind it. The timeout ends "
    "that queue; without it one forgotten transaction stops the application until somebody wakes up.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.execute("SET lock_timeout = 0")
    op.add_column("users", sa.Column("locale", sa.Text()))
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("locale", sa.Text()))
""",
    ),
)
