"""Every gauge. A new one is a file beside this one, a signal in ``core.throttle``, a setting, and a row here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.backfill.throttle.gauges.active import Active
from expandcontract.backfill.throttle.gauges.archiver import Archiver
from expandcontract.backfill.throttle.gauges.command import Command
from expandcontract.backfill.throttle.gauges.dead import Dead
from expandcontract.backfill.throttle.gauges.query import Query
from expandcontract.backfill.throttle.gauges.replicas import Replicas
from expandcontract.backfill.throttle.gauges.slots import Slots
from expandcontract.backfill.throttle.gauges.snapshots import Snapshots
from expandcontract.backfill.throttle.gauges.url import Url
from expandcontract.backfill.throttle.gauges.vacuums import Vacuums
from expandcontract.backfill.throttle.gauges.waiting import Waiting
from expandcontract.backfill.throttle.gauges.wal import Wal

if TYPE_CHECKING:
    from expandcontract.backfill.throttle.gauge import Gauge
    from expandcontract.backfill.throttle.limits import Limits


def groups(limits: Limits) -> tuple[tuple[Gauge, ...], ...]:
    """The gauges that have a limit to compare with, by the thread that looks at them.

    The server's are quick, and looked at one after the other; the user's are of unknown duration, and each has a thread
    of its own, so that a slow one delays no other.

    Args:
        limits: What is watched.

    Returns:
        The server's first, which may be none; then each of the user's.
    """
    server: tuple[Gauge, ...] = (
        Replicas(),
        Slots(),
        Archiver(),
        Wal(),
        Snapshots(),
        Dead(),
        Vacuums(),
        Waiting(),
        Active(),
    )
    user: tuple[Gauge, ...] = (Query(), Command(), Url())
    wanted = set(limits.of)
    own = tuple((gauge,) for gauge in user if wanted & set(gauge.signals))
    return (tuple(gauge for gauge in server if wanted & set(gauge.signals)), *own)
