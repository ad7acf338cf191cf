"""EC223: an index is built while nobody may write."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.revision import Kind
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    for statement, action in revision.on_live(*revision.live_parts):
        building = action.kind in {Kind.CREATE_INDEX, Kind.REINDEX}
        # ON ONLY makes the empty parent of a partitioned index
        if building and not action.says("concurrently") and not action.says("only"):
            name = action.name or "an index"
            yield Hit(
                line=statement.line,
                what=f"builds {name} and stops every write to {action.table or 'its table'}",
                fix=_fix(revision, action.kind),
            )


def _fix(revision: Revision, kind: Kind) -> str:
    if kind is Kind.REINDEX:
        return "REINDEX … CONCURRENTLY, outside a migration"
    if revision.half is not None:
        return "move op.create_index(…) into seal(), where it is built concurrently"
    return (
        "build it concurrently, alone in its revision:\n"
        "  with op.get_context().autocommit_block():\n"
        "      op.create_index(…, postgresql_concurrently=True)"
    )


RULE = Rule(
    code="EC223",
    name="blocking-index",
    severity=Severity.ERROR,
    summary="An index is built on a table in use, and not concurrently.",
    why="CREATE INDEX takes a SHARE lock: no row is written until the whole index is built. CONCURRENTLY takes about "
    "twice the time and stops nobody.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.create_index("ix_users_nick", "users", ["nick"])
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_users_nick", "users", postgresql_concurrently=True, if_exists=True)
        op.create_index("ix_users_nick", "users", ["nick"], postgresql_concurrently=True)
""",
    ),
    yields_to=frozenset({"EC204", "EC210"}),
    covers=frozenset({"require-concurrent-index-creation", "require-concurrent-reindex"}),
)
