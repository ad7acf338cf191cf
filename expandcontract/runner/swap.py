"""The swap of a change that no release need notice: names, ledger and window in one transaction, and back.

A kill at any instant leaves either what was before or what is after, for there is one commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from expandcontract.core.phase import Kind, Move
from expandcontract.errors import FailedError, RefusedError, SealError
from expandcontract.pg.ddl import Work, perform
from expandcontract.revisions import seal, sealing, swapping
from expandcontract.runner.events import Event
from expandcontract.runner.observe import to_notice
from expandcontract.runner.rows import sealed
from expandcontract.runner.waiting import claims, waited

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

    from expandcontract.core.change import ChangeState
    from expandcontract.ledger import Ledger
    from expandcontract.pg.attempt import Attempt
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place


def one_transaction(
    place: Place, mover: Mover, changes: Sequence[ChangeState], work: Callable[[Ledger, Attempt | None], None]
) -> Iterator[Event]:
    """Run ``work`` in one writing transaction; where names are traded in it, until it gets its locks.

    Raises:
        LockTimeoutError: A lock was not had within the budget; who holds it is named.
        FailedError: A statement failed; nothing of it is left.
    """
    swapped = [change for change in changes if change.kind is Kind.SWAPPED]
    if not swapped:
        with mover.writing() as ledger:
            work(ledger, None)
        return
    names = ", ".join(change.name for change in swapped)

    def run(attempt: Attempt) -> None:
        with mover.writing() as ledger:
            attempt.begin()
            work(ledger, attempt)

    asked = tuple(claim for change in swapped for claim in claims(place, change, removed=change.shape.leaving))
    what = Work(what=f"trading the names of {names}", claims=asked, run=run)
    try:
        yield from waited(mover, swapped[0].name, perform(place.url, what, mover.patience))
    except DBAPIError as exc:
        msg = f"trading the names of {names} failed: {str(exc.orig).splitlines()[0]}"
        raise FailedError(msg, hint=f"ec rollback {changes[0].name}") from exc


def noticed(mover: Mover, changes: Sequence[ChangeState], move: Move) -> Iterator[Event]:
    """Say which sessions may notice the swap."""
    for change in changes:
        with mover.reading():
            found = to_notice(mover.connection, change, move)
        for finding in found:
            yield Event(kind="note", text=f"{finding}; {finding.fix}", change=change.name)


def forth(place: Place, mover: Mover, change: ChangeState, attempt: Attempt | None) -> None:
    """Trade the names of a change within the caller's transaction; nothing for one of another kind."""
    if change.kind is Kind.SWAPPED:
        swapping.swap(mover.connection, _module(place, change), change.name, change.shape, attempt)


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
        notices = sealing.run(place.url, items, mover.fence, mover.patience)
        yield from waited(mover, change.name, notices, lambda text: sealed(f"{text}, for the way back", change))

        def work(ledger: Ledger, attempt: Attempt | None) -> None:
            swapping.swap_back(mover.connection, module, change.name, change.shape, attempt)
            ledger.close_window(change.name)
            ledger.finish(change.name, change.phase, Move.ROLL_BACK, change.after(Move.ROLL_BACK))

        yield from one_transaction(place, mover, [change], work)
    except (SealError, FailedError) as exc:
        yield from waited(mover, change.name, sealing.undo(place.url, items, mover.fence, mover.patience))
        with mover.writing() as ledger:
            ledger.take_back(change.name, Move.ROLL_BACK)
        msg = f"the roll-back of {change.name} was taken back, it is {change.phase}: {exc.message}"
        raise RefusedError(msg, hint=f"ec verify {change.name}") from exc
    yield Event(kind="step", text="the old names are back", change=change.name)
    notices = sealing.run(place.url, seal.record(module), mover.fence, mover.patience)
    yield from waited(mover, change.name, notices, lambda text: sealed(text, change))


def _module(place: Place, change: ChangeState) -> ModuleType:
    return place.project.pair(change.name).expand.module
