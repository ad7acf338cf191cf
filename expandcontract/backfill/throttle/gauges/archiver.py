"""Whether WAL archiving keeps up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from expandcontract.core.throttle import Reading, Signal, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.throttle.gauge import Scope


class Archiver:
    """How many WAL files wait, and for how long archiving has been failing.

    The server does not say since when: its last success may be old because nothing was written. So the time counts
    from when the failure was first seen here.
    https://www.postgresql.org/docs/current/monitoring-stats.html#MONITORING-PG-STAT-ARCHIVER-VIEW
    """

    signals = (Signal.ARCHIVE_BACKLOG, Signal.ARCHIVE_FAILING)

    def __init__(self) -> None:
        self._failing_since_s: float | None = None

    def read(self, scope: Scope) -> Iterator[Reading | Unknown]:
        """The backlog where it may be listed, and the failure always."""
        found = scope.ask("archiver")[0]
        if Signal.ARCHIVE_BACKLOG in scope.limits.of:
            if found["may_list"]:
                yield scope.reading(Signal.ARCHIVE_BACKLOG, scope.ask("ready")[0]["files"])
            else:
                grant = "GRANT EXECUTE ON FUNCTION pg_ls_archive_statusdir() TO {role}"
                yield scope.hidden(Signal.ARCHIVE_BACKLOG, "the archiver's files", grant)
        if not found["failing"]:
            self._failing_since_s = None
        elif self._failing_since_s is None:
            self._failing_since_s = time.monotonic()
        if Signal.ARCHIVE_FAILING in scope.limits.of:
            since = self._failing_since_s
            seconds = 0.0 if since is None else time.monotonic() - since
            yield scope.reading(Signal.ARCHIVE_FAILING, seconds, f"last at {found['file']}" if since else "")
