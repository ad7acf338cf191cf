"""By how many rows are filled and compared, and what holds them back, from the settings."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from expandcontract.backfill.throttle.limits import Limits
from expandcontract.core.throttle import Signal

if TYPE_CHECKING:
    from expandcontract.config.settings import Settings


def workers(settings: Settings) -> int:
    """Threads of one process."""
    return settings.backfill.workers or max(1, (os.cpu_count() or 1) // 2)


def limits(settings: Settings) -> Limits:
    """The limits of all signals that have one.

    One that stands in a file, a variable or a flag is explicit: where its signal cannot be read the backfill stops,
    while a default that cannot be read is only said.
    """
    given = settings.backfill.throttle
    of: dict[Signal, float] = {}
    for signal in Signal:
        value = getattr(given, signal)
        if signal is Signal.OLDEST_SNAPSHOT and signal not in given.model_fields_set:
            value = settings.snapshot_limit
        if signal in {Signal.COMMAND, Signal.URL}:
            value = 0 if value else None
        elif signal is Signal.QUERY:
            value = given.query_limit if value else None
        if value is not None:
            of[signal] = value.total_seconds() if isinstance(value, timedelta) else float(value)
    return Limits(
        of=of,
        explicit=frozenset(signal for signal in of if signal in given.model_fields_set),
        except_replicas=frozenset(given.except_replicas),
        query=given.query,
        command=given.command,
        url=given.url,
        vacuum_share=settings.backfill.vacuum,
    )
