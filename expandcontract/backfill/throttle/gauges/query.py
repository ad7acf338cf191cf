"""The user's own SQL."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg

from expandcontract.core.throttle import Reading, Signal
from expandcontract.errors import BackfillError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.throttle.gauge import Scope

SETTING = "backfill.throttle.query"
WRONG = ("22", "25", "42")
"""SQLSTATE classes of a statement that will not do, however often it is run."""


class Query:
    """Runs it in a read-only transaction; the first column of the first row is the value, NULL or no row is 0."""

    signals = (Signal.QUERY,)

    def read(self, scope: Scope) -> Iterator[Reading]:
        """Its number; ``true`` counts as 1.

        Raises:
            BackfillError: It is refused by the server, or gives no number.
        """
        try:
            with scope.connection.transaction():
                scope.connection.execute("SET TRANSACTION READ ONLY")
                row = scope.connection.execute((scope.limits.query or "").encode()).fetchone()
        except psycopg.Error as exc:
            if not (exc.sqlstate or "").startswith(WRONG):
                raise
            msg = f"{SETTING} fails: {str(exc).splitlines()[0]}"
            raise BackfillError(msg, hint=f"mend {SETTING}, then run the same command again") from exc
        value = row[0] if row else None
        if not isinstance(value, (int, float, Decimal, type(None))):
            msg = f"{SETTING} gives {value!r}, which is no number"
            raise BackfillError(msg, hint=f"mend {SETTING}, then run the same command again")
        yield scope.reading(Signal.QUERY, float(value or 0))
