"""The swap of a change that no release need notice: names, ledger and window in one transaction, and back.

A kill at any instant leaves either what was before or what is after, for there is one commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from expandcontract.core.phase import Kind, Move
from expandcontract.errors import FailedError, RefusedError, SealError
from expandcontract.pg.census import blockers
from expandcontract.pg.retry import RETRIED, retrying, sqlstate
from expandcontract.revisions import seal, sealing, swapping
from expandcontract.runner.events import Event
from expandcontract.runner.observe import to_notice

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

    from expandcontract.core.change import ChangeState
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place


def one_transaction(place: Place, mover: Mover, changes: Sequence[ChangeState], work: Callable[[], None]) -> None:
    """Run ``work``, which opens one writing transaction, until it gets its locks.

    Raises:
        LockTimeoutError: A lock was not had within the budget; who holds it is named.
        FailedError: A statement failed; nothing of it is left.
    """
    if not any(change.kind is Kind.SWAPPED for change in changes):
        work()
        return
    names = ", ".join(change.name for change in changes)

    def who() -> str:
        with mover.reading():
            tables = [table for change in changes for table in change.shape.tables]
            return "; ".join(filter(None, (blockers(mover.connection, table) for table in tables)))

    try:
        retrying(work, what=f"trading the names of {names}", budget=place.settings.lock.budget, blockers=who)
    except DBAPIError as exc:
        if sqlstate(exc) in RETRIED:
            raise
        msg = f"trading the names of {names} failed: {str(exc.orig).splitlines()[0]}"
        raise FailedError(msg, hint=f"ec rollback {changes[0].name}") from exc


def noticed(mover: Mover, changes: Sequence[ChangeState], move: Move) -> Iterator[Event]:
    """Say which sessions may notice the swap."""
    for change in changes:
        with mover.reading():
            found = to_notice(mover.connection, change, move)
        for finding in found:
            yield Event(kind="note", text=f"{finding}; {finding.fix}", change=change.name)


def forth(place: Place, mover: Mover, change: ChangeState) -> None:
    """Trade the names of a change within the caller's transaction; nothing for one of another kind."""
    if change.kind is Kind.SWAPPED:
        swapping.swap(mover.connection, _module(place, change), change.name, change.shape)


def back(place: Place, mover: Mover, change: ChangeState) -> Iterator[Event]:
    """Make what the old shape needs, prove that every value fits it, and give the names back.

    All but the swap itself is done beside running reads and writes; from the proof on a value that does not fit the
    old type is refused, as it is afterwards. Everything may run twice.

    Raises:
        RefusedError: A row has a value that does not fit; the roll-back is over and nothing has changed.
        FailedError: The swap failed, and likewise.
        LockTimeoutError: A lock was not had; the roll-back stays in flight.
    """
    module = _module(place, change)
    yield from noticed(mover, [change], Move.ROLL_BACK)
    with mover.reading():
        items = (*swapping.proofs(mover.connection, change.name, change.shape), *seal.record(module, swapping.READY))
    try:
        for text in sealing.run(place.url, items, mover.fence):
            yield Event(kind="sealed", text=f"sealed for the way back: {text}", change=change.name)

        def work() -> None:
            with mover.writing() as ledger:
                swapping.swap_back(mover.connection, module, change.name, change.shape)
                ledger.close_window(change.name)
                ledger.finish(change.name, change.phase, Move.ROLL_BACK, change.after(Move.ROLL_BACK))

        one_transaction(place, mover, [change], work)
    except (SealError, FailedError) as exc:
        for _ in sealing.undo(place.url, items, mover.fence):
            pass
        with mover.writing() as ledger:
            ledger.take_back(change.name, Move.ROLL_BACK)
        msg = f"the roll-back of {change.name} was taken back, it is {change.phase}: {exc.message}"
        raise RefusedError(msg, hint=f"ec verify {change.name}") from exc
    yield Event(kind="step", text="the old names are back", change=change.name)
    for text in sealing.run(place.url, seal.record(module), mover.fence):
        yield Event(kind="sealed", text=f"sealed: {text}", change=change.name)


def _module(place: Place, change: ChangeState) -> ModuleType:
    return place.project.pair(change.name).expand.module
