"""Dead rows of the relations that are filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.throttle import Reading, Signal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.throttle.gauge import Scope


class Dead:
    """The share of dead rows, of the relation that has most, by the server's running count."""

    signals = (Signal.DEAD_SHARE,)

    def read(self, scope: Scope) -> Iterator[Reading]:
        """Dead rows by all rows."""
        shares = [(row["dead"] / max(1, row["dead"] + row["live"]), row["name"]) for row in scope.ask("dead")]
        share, name = max(shares, default=(0.0, ""))
        yield scope.reading(Signal.DEAD_SHARE, share, name if share else "")
