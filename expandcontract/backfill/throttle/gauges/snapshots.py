"""The oldest snapshot of others: while it lives no dead row is pruned, and the table grows instead."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from expandcontract.core.throttle import Reading, Signal, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from expandcontract.backfill.throttle.gauge import Scope


class Snapshots:
    """Transactions of sessions, prepared ones, queries on standbys with feedback, and slots.

    Of the last two the server knows an xmin and no age; theirs counts from when that xmin was first seen here.
    https://www.postgresql.org/docs/current/routine-vacuuming.html#VACUUM-FOR-SPACE-RECOVERY
    """

    signals = (Signal.OLDEST_SNAPSHOT,)

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, float]] = {}

    def read(self, scope: Scope) -> Iterator[Reading | Unknown]:
        """The oldest that can be seen; unknown beside it where some cannot."""
        rows = scope.ask("snapshots")
        now_s = time.monotonic()
        self._remember(rows, now_s)
        ages = [(row["age_s"], row["who"]) for row in rows if row["age_s"] is not None]
        ages += [(now_s - since, who) for who, (_, since) in self._seen.items()]
        age, who = max(ages, default=(0.0, ""))
        yield scope.reading(Signal.OLDEST_SNAPSHOT, age, who)
        if any(row["hidden"] for row in rows):
            yield scope.hidden(Signal.OLDEST_SNAPSHOT, "when other roles' transactions began")

    def _remember(self, rows: Sequence[dict[str, str]], now_s: float) -> None:
        before, self._seen = self._seen, {}
        for row in rows:
            if row["xmin"] is not None:
                known = before.get(row["who"])
                self._seen[row["who"]] = known if known and known[0] == row["xmin"] else (row["xmin"], now_s)
