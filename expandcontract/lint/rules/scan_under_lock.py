"""EC221: a statement reads a whole table while it holds a lock that others wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.lint.effects import live_effects, shown
from expandcontract.lint.finding import Hit, Severity
from expandcontract.lint.rule import Example, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.revision import Revision


def _check(revision: Revision) -> Iterator[Hit]:
    for statement, effect in live_effects(revision):
        mode = effect.strongest
        if effect.scans and mode is not None and mode.stops_writes:
            stopped = "reads and writes wait" if mode.stops_reads else "writes wait"
            yield Hit(
                line=statement.line,
                what=f"reads all of {shown(effect.scans)} under {mode}; {stopped} until it is done ({effect.form})",
                fix="split it: the quick half here, the scan in seal(), where it lets reads and writes pass",
            )


RULE = Rule(
    code="EC221",
    name="scan-under-lock",
    severity=Severity.ERROR,
    summary="A statement scans a table, or builds an index, under a lock that stops reads or writes.",
    why="The lock is held as long as the table is large. `lock_timeout` does not help: it limits the wait for the "
    "lock, not how long it is held.",
    check=_check,
    bad=Example(
        half=None,
        source="""def upgrade() -> None:
    op.execute("ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
""",
    ),
    good=Example(
        half=None,
        source="""def upgrade() -> None:
    # new and empty, so that nothing is read
    op.execute("CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')")
""",
    ),
    yields_to=frozenset({"EC203", "EC204", "EC210", "EC220", "EC222", "EC223"}),
)
