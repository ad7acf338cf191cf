"""EC225: long work in a transaction that already holds an exclusive lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Kind
from expandcontract.lint.effects import exclusive, transactions
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision, Statement


def _check(revision: Revision) -> Iterator[Hit]:
    for transaction in transactions(revision):
        held: dict[str, int] = {}
        for statement in transaction:
            if held and _long(statement):
                table, line = next(iter(held.items()))
                yield Hit(
                    line=statement.line,
                    what=f"{statement.actions[0]} runs while ACCESS EXCLUSIVE on {table} is held since line {line}",
                    fix="put it into a revision of its own, or into seal(), so that the lock is given back first",
                )
            for relation in exclusive(revision, statement):
                held.setdefault(relation.removeprefix("public."), statement.line)


def _long(statement: Statement) -> bool:
    validates = any(action.kind is Kind.VALIDATE_CONSTRAINT for action in statement.actions)
    return validates or any(effect.scans or effect.rewrites for effect in statement.effects)


RULE = Rule(
    code="EC225",
    name="work-under-lock",
    severity=Severity.ERROR,
    summary="A scan or rewrite runs in a transaction that took ACCESS EXCLUSIVE before.",
    why="A lock is held until its transaction ends. A quick ALTER TABLE in front turns the longest later statement "
    "into an outage of its table, even if that one works on another table.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("locale", sa.Text()))
    op.execute("ALTER TABLE orders VALIDATE CONSTRAINT orders_user_fk")
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    op.execute("ALTER TABLE orders VALIDATE CONSTRAINT orders_user_fk")
""",
    ),
    yields_to=frozenset({"EC204", "EC210", "EC220", "EC221", "EC222", "EC223"}),
)
