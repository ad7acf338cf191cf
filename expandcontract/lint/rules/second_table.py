"""EC226: a second table is locked while the first one's exclusive lock is held."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.effect import LockMode
from expandcontract.core.revision import Kind
from expandcontract.lint.effects import exclusive, live_locks, transactions
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from expandcontract.core.revision import Revision, Statement

OURS = "SELECT expandcontract."
"""A directive: beside its own tables it locks only what hangs on them, their indexes and sequences."""


def _check(revision: Revision) -> Iterator[Hit]:
    for transaction in transactions(revision):
        held: dict[str, int] = {}
        passed = _own(revision) | _made(transaction)
        for statement in transaction:
            locks = [lock for lock in live_locks(revision, statement) if lock.mode >= LockMode.SHARE_UPDATE_EXCLUSIVE]
            other = next((lock for lock in locks if held and lock.relation not in passed.union(held)), None)
            if other is not None and not (revision.half and statement.sql.lstrip().startswith(OURS)):
                first, line = next(iter(held.items()))
                yield Hit(
                    line=statement.line,
                    what=f"waits for {other} while ACCESS EXCLUSIVE on {first} is held since line {line}",
                    fix="put each table into a revision of its own: one transaction, one busy table",
                )
            for relation in exclusive(revision, statement):
                held.setdefault(relation, statement.line)


def _own(revision: Revision) -> frozenset[str]:
    return frozenset(f"{table.schema}.{table.name}" for table in revision.own) if revision.half else frozenset()


def _made(transaction: Sequence[Statement]) -> frozenset[str]:
    """The sequences that the transaction itself makes: nobody else knows them."""
    actions = (action for statement in transaction for action in statement.actions if action.kind is Kind.CREATE)
    named = ((action.name or "").partition("sequence ")[2] for action in actions)
    return frozenset(name if "." in name else f"public.{name}" for name in named if name)


RULE = Rule(
    code="EC226",
    name="second-table",
    severity=Severity.WARNING,
    summary="A transaction locks a second table while it holds an exclusive lock on a first one.",
    why="While it waits for the second table, everybody waits for the first one. An application that takes the two in "
    "the other order deadlocks with it. A pair's own tables may share one: they change together, and ec asks for their "
    "locks within one lock_timeout, and gives way.",
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
