"""Vacuums of others on the relations that are filled, autovacuum's above all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.throttle import Reading, Signal, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.throttle.gauge import Scope


class Vacuums:
    """How many are at work; our own are not counted."""

    signals = (Signal.VACUUMS,)

    def read(self, scope: Scope) -> Iterator[Reading | Unknown]:
        """Those on our relations; unknown where one may not be seen."""
        rows = scope.ask("vacuums")
        seen = [row for row in rows if not row["hidden"]]
        detail = ", ".join(f"session {row['pid']} on {row['name']}" for row in seen)
        yield scope.reading(Signal.VACUUMS, len(seen), detail)
        if len(seen) < len(rows):
            yield scope.hidden(Signal.VACUUMS, "what is vacuumed")
