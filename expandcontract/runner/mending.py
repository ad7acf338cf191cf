"""Repair: hold and triggers made anew, and every row compared after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.phase import Phase
from expandcontract.runner.events import Event
from expandcontract.runner.rows import compare
from expandcontract.runner.waiting import under_locks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.change import ChangeState
    from expandcontract.pg.attempt import Attempt
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place


def mend(place: Place, mover: Mover, change: ChangeState) -> Iterator[Event]:
    """Make hold and triggers of the change anew where something is missing or altered, and compare every row."""
    with mover.reading() as ledger:
        faults = [what for found, what in ledger.integrity() if found == change.name]
    for what in faults:
        yield Event(kind="note", text=what, change=change.name)

    def reattach(attempt: Attempt) -> None:
        with mover.writing() as ledger:
            attempt.begin()
            settings = attempt.settings("SELECT expandcontract.reattach", local=True)
            attempt.pid = mover.connection.execute(text(settings)).scalar_one()
            ledger.reattach(change.name)

    if faults:
        yield from under_locks(place, mover, change, f"hold and triggers of {change.name}", reattach)
        yield Event(kind="step", text="hold and triggers were made anew", change=change.name)
    if change.open:
        repaired = change.phase in {Phase.DUAL_WRITING, Phase.BACKFILLED}
        yield from compare(place, mover, change, repair=repaired)
    done = f"hold and triggers of {change.name} are as they should be"
    yield Event(kind="finished", text=done, change=change.name)
