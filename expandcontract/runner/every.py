"""``--all``: every change makes one move where its gates are open, and of every other one is said why it does not.

Rules for the next editor:

1. A pass makes each change's next move at most once.
2. What touches no traffic is made one change after the other, the short moves first: contracts, expands, swaps of
   names, dual writes by the triggers, and the backfills last; among the same moves in the order of the chain.
3. Dual-writes and cut-overs by a release are one shift, for all of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.facts import Asked
from expandcontract.core.phase import Move
from expandcontract.core.plan import next_move
from expandcontract.errors import RefusedError
from expandcontract.revisions.project import CONTRACT, EXPAND
from expandcontract.runner.events import Event
from expandcontract.runner.forward import in_order
from expandcontract.runner.left import Passed, judged, stuck
from expandcontract.runner.moving import current, resume, undertake
from expandcontract.runner.observe import merged
from expandcontract.runner.shifting import shift, wants_release

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterator, Sequence

    from expandcontract.core.change import ChangeState
    from expandcontract.runner.call import Call
    from expandcontract.runner.left import Left
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place

ALONE = (Move.CONTRACT, Move.EXPAND, Move.CUT_OVER, Move.DUAL_WRITE, Move.BACKFILL)
"""The moves without a shift, in the order in which a pass makes them."""


def advance(place: Place, m: Mover, call: Call) -> Iterator[Event]:
    """One pass over all changes: the one shift where a release is named, and all else where none is.

    Raises:
        RefusedError: Something is left to do, and nothing of it could be done.
    """
    shifting = call.release is not None
    passed = yield from one_pass(place, m, call, shifts=shifting, others=not shifting)
    if passed.left and not passed.moved:
        with m.writing() as ledger:
            for left in passed.left:
                ledger.journal("refused", left.change, {"move": left.move, "why": left.why})
        raise stuck(passed.left)
    for left in passed.left:
        yield left.event()
    if not passed.moved:
        yield Event(kind="note", text="no change waits for a release" if shifting else "nothing is left to do")


def one_pass(
    place: Place, m: Mover, call: Call, *, shifts: bool, others: bool, only: Collection[str] | None = None
) -> Generator[Event, None, Passed]:
    """Take each change one move on where its gates are open.

    Args:
        place: Where we work.
        m: Us.
        call: What was asked for.
        shifts: Whether to make the moves that a release makes by getting the traffic; ``call.release`` is set.
        others: Whether to make the other ones; a shift waits until none of these can be made, so that it is one.
        only: The changes to look at; ``None``: all.

    Raises:
        RefusedError: A roll-back is in flight.
    """
    moved: list[str] = []
    left: list[Left] = []
    flying = next((found for found in waiting(place, m, only) if found.in_flight is not None), None)
    if flying is not None:
        moved += yield from _resumed(place, m, flying, call)
    for name, move in _alone(place, waiting(place, m, only), call, shifts=shifts) if others else ():
        if name not in moved:
            refusal = yield from _one(place, m, name, move, call)
            left += [refusal] if refusal else []
            moved += [] if refusal else [name]
    if shifts and not (others and moved):
        ready = [c for c in waiting(place, m, only) if wants_release(c, call) and c.name not in moved]
        gone, stayed = yield from shift(place, m, ready, call)
        moved, left = [*moved, *gone], [*left, *stayed]
    return Passed(moved=tuple(moved), left=tuple(left))


def waiting(place: Place, m: Mover, only: Collection[str] | None) -> list[ChangeState]:
    """The changes that have a move left."""
    with m.reading() as ledger:
        found = merged(place, ledger)
    return [change for change in found if not change.ended and (only is None or change.name in only)]


def _resumed(place: Place, m: Mover, flying: ChangeState, call: Call) -> Generator[Event, None, list[str]]:
    if next_move(flying) is Move.ROLL_BACK:
        msg = f"a roll-back of {flying.name} is in flight; it is finished first"
        raise RefusedError(msg, hint=f"ec rollback {flying.name}")
    names = []
    for event in resume(place, m, flying, replace(call, release=None, by_database=False)):
        names += [event.change] if event.kind == "finished" and event.change else []
        yield event
    return names


def _alone(place: Place, found: Sequence[ChangeState], call: Call, *, shifts: bool) -> list[tuple[str, Move]]:
    """The moves that are made without a shift, in the order to make them; where there is none, all are."""
    ordered = []
    for move in ALONE:
        wanted = [c for c in found if next_move(c) is move and not (shifts and wants_release(c, call))]
        half = CONTRACT if move is Move.CONTRACT else EXPAND
        ordered += [(change.name, move) for change in in_order(place, wanted, half)]
    return ordered


def _one(place: Place, m: Mover, name: str, move: Move, call: Call) -> Generator[Event, None, Left | None]:
    """Make one move of one change; gives the reason where it is not made."""
    change = current(place, m, [name])[0]
    asked = Asked(
        move=move,
        by_database=call.by_database and move is Move.DUAL_WRITE,
        together=frozenset({name}),
        fence=call.fence and move is Move.CONTRACT,
    )
    left = judged(place, m, change, asked)
    if left is None:
        yield from undertake(place, m, [change], asked, call)
    return left
