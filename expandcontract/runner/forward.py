"""The five moves that lead on: each saves its intent, does one thing that may run twice, and records its end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from expandcontract.core.color import Weights
from expandcontract.core.facts import Asked
from expandcontract.core.phase import Move
from expandcontract.core.release import Release, Speaks
from expandcontract.errors import FailedError, TrafficError
from expandcontract.revisions import run, sealing
from expandcontract.revisions.project import CONTRACT, EXPAND
from expandcontract.runner import fence, swap
from expandcontract.runner.events import Event
from expandcontract.runner.observe import coming, live_release, read_weights
from expandcontract.runner.rows import backfill, mend, sealed
from expandcontract.runner.together import own
from expandcontract.runner.traffic import came_back, give, put
from expandcontract.runner.waiting import claims, replayed, waited

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alembic.script import Script

    from expandcontract.core.change import ChangeState
    from expandcontract.core.shape import Hold
    from expandcontract.ledger import Ledger
    from expandcontract.pg.attempt import Attempt
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place

NO_SOAK = timedelta()


def remembered(asked: Asked, origin: Weights | None, steps: Sequence[int]) -> dict[str, object]:
    """What a resumed move needs to know, as the ledger keeps it."""
    release = asked.release
    return {
        "by_database": asked.by_database,
        "together": sorted(asked.together),
        "fence": asked.fence,
        "steps": list(steps),
        "origin": dict(origin.document()) if origin else None,
        "release": None
        if release is None
        else {
            "color": release.color,
            "version": release.version,
            "baseline": release.baseline,
            "speaks": dict(release.speaks),
        },
    }


def recalled(change: ChangeState) -> tuple[Asked, Weights | None, tuple[int, ...]]:
    """What the move in flight was called with."""
    from expandcontract.core.color import Color  # noqa: PLC0415  # only for what comes back from JSON

    assert change.in_flight is not None  # noqa: S101  # the caller looked
    kept = change.in_flight.arguments or {}
    found: dict[str, object] | None = kept.get("release")  # type: ignore[assignment]
    release = None
    if found:
        speaks: dict[str, str] = found["speaks"]  # type: ignore[assignment]
        release = Release(
            color=Color(str(found["color"])),
            version=str(found["version"]),
            baseline=None if found["baseline"] is None else str(found["baseline"]),
            speaks={name: Speaks(value) for name, value in speaks.items()},
        )
    origin: dict[str, int] | None = kept.get("origin")  # type: ignore[assignment]
    asked = Asked(
        move=change.in_flight.move,
        release=release,
        by_database=bool(kept.get("by_database")),
        together=frozenset(kept.get("together") or ()),  # type: ignore[call-overload]
        fence=bool(kept.get("fence")),
    )
    steps: list[int] = kept.get("steps") or [100]  # type: ignore[assignment]
    return asked, Weights(**origin) if origin else None, tuple(steps)


def expand(place: Place, mover: Mover, change: ChangeState) -> Iterator[Event]:
    """Apply the expand revision; the phase is recorded in its own transaction. What is for good is said first."""
    if change.irreversible:
        text = f"{change.name} cannot be taken back once it is expanded: {change.irreversible}"
        yield Event(kind="note", text=text, change=change.name)
    yield from _apply(place, mover, change, place.project.pair(change.name).expand, ())


def contract(place: Place, mover: Mover, change: ChangeState) -> Iterator[Event]:
    """Mend rows, make the rule of a tightening, then apply the contract: assertion, hold, drop and phase at once."""
    script = place.project.pair(change.name).contract
    if script is None:
        msg = f"{change.name} has no contract half"
        raise FailedError(msg)
    yield from mend(place, mover, change)
    notices = sealing.run(place.url, coming(place, change), mover.fence, mover.patience)
    yield from waited(mover, change.name, notices, lambda text: sealed(text, change))
    yield from _apply(place, mover, change, script, change.shape.leaving)


def _apply(place: Place, mover: Mover, change: ChangeState, script: Script, removed: Sequence[Hold]) -> Iterator[Event]:
    yield Event(kind="step", text=f"applying {script.revision}: {script.doc}", change=change.name)
    notices = run.upgrade(
        place.project,
        script.revision,
        mover.mark,
        url=place.url,
        claims=claims(place, change, removed=removed),
        patience=mover.patience,
    )
    yield from waited(mover, change.name, notices)
    yield from replayed(place, change.name)


def change_release(
    place: Place,
    mover: Mover,
    changes: Sequence[ChangeState],
    asked: Asked,
    origin: Weights | None,
    steps: Sequence[int],
) -> Iterator[Event]:
    """Dual-write and cut-over: deploy on the idle color, shift, and move every named change in one transaction.

    Raises:
        TrafficError: Deploy, health or the balancer failed; where the traffic came back, the move is over.
    """
    names = [change.name for change in changes]
    moves = {change.name: own(change, asked).move for change in changes}
    with mover.reading() as ledger:
        before = live_release(ledger, origin)
    if asked.release is not None:
        try:
            yield from put(place, mover, asked.release, names=names)
            yield from give(
                place,
                mover,
                asked.release.color,
                steps=steps,
                soak=place.settings.traffic.soak,
                names=names,
                origin=origin,
            )
        except TrafficError as exc:
            if came_back(place, origin):
                with mover.writing() as ledger:
                    for name, move in moves.items():
                        ledger.take_back(name, move, f"{exc.code} {exc.message}")
            raise
    for change in changes:
        yield from swap.noticed(mover, [change], moves[change.name])

    def record(ledger: Ledger, attempt: Attempt | None) -> None:
        for change in changes:
            if moves[change.name] is Move.CUT_OVER:
                swap.forth(place, mover, change, attempt)
            _arrived(ledger, change, own(change, asked), before)

    yield from swap.one_transaction(place, mover, changes, record)


def _arrived(ledger: Ledger, change: ChangeState, asked: Asked, before: Release | None) -> None:
    move = asked.move
    if not change.unnoticed:
        ledger.set_before(change.name, move, before)
    if move is Move.DUAL_WRITE:
        ledger.set_by_database(change.name, value=asked.by_database)
    ledger.finish(change.name, change.phase, move, change.after(move))
    if move is Move.CUT_OVER:
        ledger.open_window(change.name)


def in_order(place: Place, changes: Sequence[ChangeState], half: str) -> list[ChangeState]:
    """The changes as their chain has them, whatever the order they were named in."""
    known = {change.name: change for change in changes}
    return [known[name] for name in place.project.in_order(known, half)]


def drive(
    place: Place,
    mover: Mover,
    changes: Sequence[ChangeState],
    asked: Asked,
    origin: Weights | None,
    steps: Sequence[int],
) -> Iterator[Event]:
    """Do the move that was begun; everything may run twice."""
    match asked.move:
        case Move.EXPAND:
            for change in in_order(place, changes, EXPAND):
                yield from expand(place, mover, change)
        case Move.CONTRACT:
            if asked.fence:
                yield from fence.lock_out(place, mover, changes, asked)
            for change in in_order(place, changes, CONTRACT):
                yield from contract(place, mover, change)
        case Move.BACKFILL:
            for change in changes:
                yield from backfill(place, mover, change)
                with mover.writing() as ledger:
                    ledger.finish(change.name, change.phase, asked.move, change.after(asked.move))
        case _:
            yield from change_release(place, mover, changes, asked, origin, steps)


__all__ = ["NO_SOAK", "change_release", "drive", "in_order", "read_weights", "recalled", "remembered"]
