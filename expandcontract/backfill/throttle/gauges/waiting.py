"""Sessions that wait for a lock that the backfill holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.throttle import Reading, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.throttle.gauge import Scope


class Waiting:
    """Who waits on any session of this backfill, in whatever process; its own workers are not counted.

    https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-SESSION
    """

    signals = (Signal.WAITING_SESSIONS,)

    def read(self, scope: Scope) -> Iterator[Reading]:
        """How many, and who has waited longest."""
        rows = scope.ask("waiting")
        detail = f"{rows[0]['who']} for {rows[0]['waits_s']:.1f} s" if rows else ""
        yield scope.reading(Signal.WAITING_SESSIONS, len(rows), detail)
