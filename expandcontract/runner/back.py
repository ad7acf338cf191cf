"""The way back: traffic first, then state, then schema. Also takes back a move that was left in flight."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.color import FULL
from expandcontract.core.facts import Asked
from expandcontract.core.phase import Move, Phase
from expandcontract.errors import TrafficError
from expandcontract.ledger import shifts
from expandcontract.revisions import run, seal, sealing
from expandcontract.revisions.project import EXPAND
from expandcontract.runner import swap
from expandcontract.runner.events import Event
from expandcontract.runner.filling import fill_rows
from expandcontract.runner.forward import NO_SOAK, in_order, recalled
from expandcontract.runner.observe import coming, read_weights, restored
from expandcontract.runner.traffic import came_back, give, put, release_for
from expandcontract.runner.waiting import claims, replayed, waited

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from expandcontract.core.change import ChangeState
    from expandcontract.core.color import Weights
    from expandcontract.core.release import Release
    from expandcontract.ledger import Ledger
    from expandcontract.revisions.operations import SealItem
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place

STRAIGHT = (FULL,)


def asked_for(place: Place, ledger: Ledger, change: ChangeState, together: frozenset[str]) -> Asked:
    """What a roll-back of ``change`` asks for: the release that was live before, where traffic has to move."""
    before = None
    if change.unnoticed:
        return Asked(move=Move.ROLL_BACK, together=together)
    if change.phase is Phase.CUT_OVER:
        before = change.before_cut_over
    elif change.phase is Phase.DUAL_WRITING and not change.by_database:
        before = change.before_dual
    if before is None:
        return Asked(move=Move.ROLL_BACK, together=together)
    weights, _ = read_weights(place)
    live = weights.live if weights else None
    deployed = ledger.releases().get(live) if live else None
    if deployed is not None and deployed.version == before.version:
        return Asked(move=Move.ROLL_BACK, release=deployed, together=together)
    return Asked(move=Move.ROLL_BACK, release=release_for(ledger, before.version, {}, weights, None), together=together)


def roll_back(  # what was begun, and with what
    place: Place,
    mover: Mover,
    changes: Sequence[ChangeState],
    asked: Asked,
    *,
    origin: Weights | None = None,
    steps: Sequence[int] = STRAIGHT,
) -> Iterator[Event]:
    """Do the roll-back that was begun; everything may run twice.

    Raises:
        TrafficError: Deploy, health or the balancer failed, or somebody aborted the shift; where the traffic came back
            the roll-back is over, and the changes stand where it began.
    """
    if asked.release is not None:
        yield from _traffic_back(place, mover, changes, asked.release, origin, steps)
    for change in reversed(in_order(place, changes, EXPAND)):
        if change.phase is Phase.EXPANDED:
            yield from _downgrade(place, mover, change)
            continue
        if change.traded:
            yield from swap.back(place, mover, change)
            continue
        if change.phase is Phase.BACKFILLED:
            yield from _unseal(place, mover, change)
        with mover.writing() as ledger:
            if change.phase is Phase.CUT_OVER and (change.unnoticed or asked.release is None):
                ledger.close_window(change.name)
            if change.phase is Phase.DUAL_WRITING:
                ledger.set_by_database(change.name, value=False)
            ledger.finish(change.name, change.phase, Move.ROLL_BACK, change.after(Move.ROLL_BACK))


def _traffic_back(  # what was begun, and with what
    place: Place,
    mover: Mover,
    changes: Sequence[ChangeState],
    release: Release,
    origin: Weights | None,
    steps: Sequence[int],
) -> Iterator[Event]:
    names = [change.name for change in changes]
    windows = [change for change in changes if change.phase is Phase.CUT_OVER and not change.unnoticed]
    try:
        yield from put(place, mover, release, names=names)
        with mover.writing() as ledger:  # from the first stage on, a release that does not speak new can serve again
            for change in windows:
                ledger.close_window(change.name)
        yield from give(place, mover, release.color, steps=steps, soak=soak(place, steps), names=names, origin=origin)
    except TrafficError as exc:
        if came_back(place, origin):
            with mover.writing() as ledger:
                closed = {change.name for change in ledger.changes() if change.window.opened_at is None}
                for name in names:
                    ledger.take_back(name, Move.ROLL_BACK, f"{exc.code} {exc.message}")
                for name in closed & {change.name for change in windows}:
                    ledger.open_window(name)
        raise


def soak(place: Place, steps: Sequence[int]) -> timedelta:
    """How long each stage of a way back is watched: not at all where it has but one."""
    return place.settings.traffic.soak if len(steps) > 1 else NO_SOAK


def _downgrade(place: Place, mover: Mover, change: ChangeState) -> Iterator[Event]:
    pair = place.project.pair(change.name)
    with mover.reading():
        applied = place.project.applied(mover.connection)
    if pair.expand.revision not in applied:
        return
    if items := restored(place, change):
        for work in change.shape.fills:
            yield from fill_rows(place, mover, change, work)
        yield from _restore(place, mover, change, items)
    yield Event(kind="step", text=f"taking back {pair.expand.revision}: {pair.expand.doc}", change=change.name)
    notices = run.downgrade(
        place.project,
        "expand@-1",
        mover.mark,
        url=place.url,
        claims=claims(place, change, removed=change.shape.arriving),
        patience=mover.patience,
    )
    yield from waited(mover, change.name, notices)
    yield from replayed(place, change.name)


def _unseal(place: Place, mover: Mover, change: ChangeState) -> Iterator[Event]:
    yield from _undo(place, mover, change, seal.record(place.project.pair(change.name).expand.module))


def _undo(place: Place, mover: Mover, change: ChangeState, items: tuple[SealItem, ...]) -> Iterator[Event]:
    yield from waited(
        mover,
        change.name,
        sealing.undo(place.url, items, mover.fence, mover.patience),
        lambda text: Event(kind="step", text=f"unsealed: {text}", change=change.name),
    )


def _restore(place: Place, mover: Mover, change: ChangeState, items: tuple[SealItem, ...]) -> Iterator[Event]:
    yield from waited(
        mover,
        change.name,
        sealing.run(place.url, items, mover.fence, mover.patience),
        lambda text: Event(kind="step", text=f"put back: {text}", change=change.name),
    )


def take_back(
    place: Place, mover: Mover, changes: Sequence[ChangeState], steps: Sequence[int] = STRAIGHT
) -> Iterator[Event]:
    """Undo a forward move left in flight: the changes stand where it began."""
    asked, origin, _ = recalled(changes[0])
    names = [change.name for change in changes]
    if asked.release is not None and origin is not None and origin.live is not None:
        now, why = read_weights(place)
        if now != origin or why:
            yield from give(place, mover, origin.live, steps=steps, soak=soak(place, steps), names=names, origin=origin)
    for change in changes:
        if asked.move is Move.BACKFILL:
            yield from _unseal(place, mover, change)
        if asked.move is Move.CONTRACT:
            yield from _undo(place, mover, change, coming(place, change))
            contract = place.project.pair(change.name).contract
            if contract is not None:
                yield from _restore(place, mover, change, seal.record(contract.module, "restore"))
    with mover.writing() as ledger:
        shifts.end(ledger)
        for name in names:
            ledger.take_back(name, asked.move)
    for change in changes:
        text = f"{asked.move} of {change.name} was taken back; it is {change.phase}"
        yield Event(kind="finished", text=text, change=change.name, data={"phase": change.phase})
