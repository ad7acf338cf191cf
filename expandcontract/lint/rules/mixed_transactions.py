"""EC231: a statement that cannot run in a transaction stands beside others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Half, Kind, Part
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision, Statement

PASSING = {Kind.SETTING, Kind.SELECT, Kind.ASSERT_CONTRACT}  # they leave nothing behind


def _check(revision: Revision) -> Iterator[Hit]:
    steps = [s for s in revision.statements if s.part is Part.UPGRADE and s.actions[0].kind not in PASSING]
    for statement in steps:
        if statement.transactional:
            continue
        others = [other for other in steps if other is not statement and not _cleans(other)]
        if not statement.autocommit:
            yield _hit(statement, "runs inside the revision's transaction, where PostgreSQL refuses it", revision)
        elif others and not _cleans(statement):
            line = others[0].line
            yield _hit(statement, f"shares its revision with other statements (line {line})", revision)


def _cleans(statement: Statement) -> bool:
    """Whether it takes away what an attempt that failed left behind."""
    return all(action.kind is Kind.DROP_INDEX and action.says("if exists") for action in statement.actions)


def _hit(statement: Statement, what: str, revision: Revision) -> Hit:
    fix = (
        "move the index into seal()"
        if revision.half is Half.EXPAND
        else "give it a revision of its own, in\n  with op.get_context().autocommit_block():"
    )
    return Hit(line=statement.line, what=f"{statement.actions[0]} {what}", fix=fix)


RULE = Rule(
    code="EC231",
    name="mixed-transactions",
    severity=Severity.ERROR,
    summary="A statement that cannot run in a transaction stands inside one, or beside other statements.",
    why="CREATE INDEX CONCURRENTLY and its like commit what stands before them. If one fails, half of the revision is "
    "done, Alembic's version says that none is, and running it again fails on the first half.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.add_column("users", sa.Column("locale", sa.Text()))
    with op.get_context().autocommit_block():
        op.create_index("ix_users_locale", "users", ["locale"], postgresql_concurrently=True)
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_users_locale", "users", postgresql_concurrently=True, if_exists=True)
        op.create_index("ix_users_locale", "users", ["locale"], postgresql_concurrently=True)
""",
    ),
    covers=frozenset({"ban-concurrent-index-creation-in-transaction"}),
)
