"""One shift for all changes whose own gates are open.

A gate that is a change's own affair leaves that change out; any other one, the release's fit above all, holds them all.

What a version speaks is never guessed. One that is recorded keeps to its record; one that is not speaks what the moves
want, as if all of them had been named, and it is said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.facts import Asked
from expandcontract.core.gates import data, ground, release
from expandcontract.core.phase import SHIFTS, Move
from expandcontract.core.plan import implied, next_move
from expandcontract.runner import left
from expandcontract.runner.events import Event
from expandcontract.runner.moving import named, undertake

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from expandcontract.core.change import ChangeState
    from expandcontract.core.release import Speaks
    from expandcontract.ledger import Ledger
    from expandcontract.runner.call import Call
    from expandcontract.runner.left import Left
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place

APART = frozenset(gate.name for gate in (data.PARITY, data.SEAL, ground.PREFLIGHT, release.RELEASE_CHOSEN))
"""The gates that leave a change out of a shift and do not hold the others."""


def wants_release(change: ChangeState, call: Call) -> bool:
    """Whether its next move is made by a release that gets the traffic."""
    move = next_move(change)
    return move in SHIFTS and not change.unnoticed and not (move is Move.DUAL_WRITE and call.by_database)


def shift(
    place: Place, m: Mover, waiting: Sequence[ChangeState], call: Call
) -> Generator[Event, None, tuple[list[str], list[Left]]]:
    """Make one deploy and one shift; gives who moved, and why the others did not.

    Args:
        place: Where we work.
        m: Us.
        waiting: Those whose next move wants a release.
        call: What was asked for; a release is named.
    """
    out: list[Left] = []
    while waiting:
        with m.reading() as ledger:
            asked, implying = _asked(place, ledger, waiting, call)
        found = {change.name: left.asked(place, m, change, asked) for change in waiting}
        apart = {name for name, says in found.items() if APART & {verdict.gate for verdict in says.shut}}
        out += [left.of(found[name]) for name in sorted(apart)]
        shut = [left.of(says) for says in found.values() if not says.open]
        if not shut:
            yield from _told(call, implying)
            yield from undertake(place, m, waiting, asked, call)
            return [*found], out
        if not apart:
            return [], [*out, *shut]
        waiting = [change for change in waiting if change.name not in apart]
    return [], out


def _told(call: Call, implying: Mapping[str, Speaks]) -> Iterator[Event]:
    if implying:
        spoken = ", ".join(f"{speaks} of {name}" for name, speaks in implying.items())
        yield Event(kind="note", text=f"{call.release} is taken to speak {spoken}, for no record of it says otherwise")


def _asked(
    place: Place, ledger: Ledger, waiting: Sequence[ChangeState], call: Call
) -> tuple[Asked, Mapping[str, Speaks]]:
    """What is asked for the first of them, and what the version is taken to speak without having been said to."""
    assert call.release is not None  # noqa: S101  # the caller looked
    recorded = ledger.version(call.release) is not None
    implying = {} if recorded else dict(_implied(change for change in waiting if change.name not in call.speaks))
    release_ = named(place, ledger, call.release, call.speaks, implying)
    together = frozenset(change.name for change in waiting)
    move = next_move(waiting[0])
    assert move is not None  # noqa: S101  # only those that wait for a release come here
    return Asked(move=move, release=release_, together=together), implying


def _implied(changes: Iterable[ChangeState]) -> Iterator[tuple[str, Speaks]]:
    for change in changes:
        move = next_move(change)
        speaks = implied(move) if move else None
        if speaks is not None:
            yield change.name, speaks
