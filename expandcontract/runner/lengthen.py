"""The rollback window of a change made longer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.runner import views
from expandcontract.runner.mover import mover
from expandcontract.runner.observe import known

if TYPE_CHECKING:
    from datetime import timedelta

    from expandcontract.runner.place import Place


def lengthen(place: Place, name: str, extend: timedelta) -> dict[str, object]:
    """Keep the way back this much longer; gives the status of the change.

    Raises:
        BusyError: Somebody else moves this database.
        UsageError: It would become shorter.
    """
    default = place.settings.window.length
    with mover(place.url, f"window {name}", default) as m:
        with m.writing() as ledger:
            change = known(place, ledger, name)
            length = change.window.length + extend
            change.window.resized(length)
            ledger.plan_change(change)
            ledger.set_window(name, length)
        with m.reading() as ledger:
            return views.status(place, ledger, name)
