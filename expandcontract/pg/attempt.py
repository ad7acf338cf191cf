"""One attempt at a transaction that needs locks: the limits it sets for itself, and what it tells of itself.

``lock_timeout`` counts for each lock anew, while whoever queues behind the first lock waits for all that follow; so
each statement is given only what the ones before have left of the attempt's limit.
https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-LOCK-TIMEOUT
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from expandcontract.core.attempt import Patience, remaining

if TYPE_CHECKING:
    from expandcontract.core.blocker import Blocker
    from expandcontract.pg.build import Index

NONE = timedelta()
HARMLESS = re.compile(
    r"\s*(SHOW|SET|RESET|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SELECT(?!\s+expandcontract\.))\b", re.IGNORECASE
)
CATALOGUE_ONLY = re.compile(
    r"\s*(ALTER|DROP|COMMENT|GRANT|REVOKE|LOCK|TRUNCATE|SELECT\s+expandcontract\.(?!fill_straight)"
    r"|CREATE\s+(OR\s+REPLACE\s+)?(CONSTRAINT\s+)?(VIEW|TRIGGER|FUNCTION|PROCEDURE|SEQUENCE|TYPE|DOMAIN|POLICY|RULE))\b",
    re.IGNORECASE,
)
READS_ROWS = re.compile(r"\bVALIDATE\s+CONSTRAINT\b|\bSET\s+TABLESPACE\b", re.IGNORECASE)
CONCURRENT = re.compile(r"\s*(CREATE|DROP|REINDEX)\b.*\bCONCURRENTLY\b", re.IGNORECASE | re.DOTALL)


class Doomed(Exception):  # noqa: N818  # it is a decision, and never leaves this package
    """The attempt stops itself: what it was about to do would wait for somebody, nobody knows how long.

    Args:
        blockers: For whom.
    """

    def __init__(self, blockers: tuple[Blocker, ...]) -> None:
        super().__init__(*blockers)
        self.blockers = blockers


@dataclass
class Attempt:
    """The limits of one attempt.

    Attributes:
        number: From 1.
        lock_timeout: How long all its locks together may be waited for.
        patience: The other limits.
        pid: Its backend, once it is known.
        limited: Whether catalogue-only statements are held to their limit.
        building: The indexes that it has begun to build concurrently.
    """

    number: int
    lock_timeout: timedelta
    patience: Patience
    pid: int | None = None
    limited: bool = True
    building: list[Index] = field(default_factory=list)
    _since: float | None = field(default=None, repr=False)

    def begin(self) -> None:
        """A transaction begins; its locks have the whole limit before them."""
        self._since = None

    def limits(self, statement: str) -> tuple[timedelta, timedelta]:
        """The ``lock_timeout`` and ``statement_timeout`` for the next statement; zero is none.

        A concurrent build has no ``lock_timeout``: it waits for old snapshots and queues nobody behind it.
        """
        if CONCURRENT.match(statement):
            return NONE, self.patience.build
        catalogue = bool(CATALOGUE_ONLY.match(statement)) and not READS_ROWS.search(statement)
        longest = self.patience.statement if catalogue and self.limited else NONE
        if HARMLESS.match(statement):
            return self.lock_timeout, longest
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        return remaining(self.lock_timeout, timedelta(seconds=now - self._since)), longest

    def settings(self, statement: str, *, local: bool) -> str:
        """A query that sets these limits, and whose first column is the backend's process id."""
        lock, longest = (max(int(limit.total_seconds() * 1000), 0) for limit in self.limits(statement))
        scope = "true" if local else "false"
        return (
            f"SELECT pg_catalog.pg_backend_pid(), pg_catalog.set_config('lock_timeout', '{lock}ms', {scope}),"
            f" pg_catalog.set_config('statement_timeout', '{longest}ms', {scope})"
        )
