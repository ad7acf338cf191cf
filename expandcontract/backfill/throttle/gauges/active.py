"""Sessions that are executing something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.throttle import Reading, Signal, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.throttle.gauge import Scope


class Active:
    """Active sessions of clients in all databases of the server, the backfill's own not counted."""

    signals = (Signal.ACTIVE_BACKENDS,)

    def read(self, scope: Scope) -> Iterator[Reading | Unknown]:
        """Those that can be seen; unknown beside it where some cannot."""
        found = scope.ask("active")[0]
        yield scope.reading(Signal.ACTIVE_BACKENDS, found["active"])
        if found["hidden"]:
            yield scope.hidden(Signal.ACTIVE_BACKENDS, "whether other roles' sessions are active")
