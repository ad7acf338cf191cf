"""EC226: a second table is locked while the first one's exclusive lock is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.effect import LockMode
from expandcontract.lint.effects import exclusive, live_locks, transactions
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    for transaction in transactions(revision):
        held: dict[str, int] = {}
        for statement in transaction:
            locks = [lock for lock in live_locks(revision, statement) if lock.mode >= LockMode.SHARE_UPDATE_EXCLUSIVE]
            other = next((lock for lock in locks if held and lock.relation not in held), None)
            if other is not None:
                first, line = next(iter(held.items()))
                yield Hit(
                    line=statement.line,
                    what=f"waits for {other} while ACCESS EXCLUSIVE on {first} is held since line {line}",
                    fix="put each table into a revision of its own: one transaction, one busy table",
                )
            for relation in exclusive(revision, statement):
                held.setdefault(relation, statement.line)


RULE = Rule(
    code="EC226",
    name="second-table",
    severity=Severity.WARNING,
    summary="A transaction locks a second table while it holds an exclusive lock on a first one.",
    why="While it waits for the second table, everybody waits for the first one. An application that takes the two in "
    "the other order deadlocks with it.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("locale", sa.Text()))
    op.add_column("orders", sa.Column("currency", sa.Text()))
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("locale", sa.Text()))
""",
    ),
    yields_to=frozenset({"EC225"}),
)
