"""Changes named in one command: which of their moves combine, and where to they go back as one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.change import requires
from expandcontract.core.fit import spoken
from expandcontract.core.phase import SHIFTS, Move
from expandcontract.core.plan import next_move
from expandcontract.core.release import Speaks
from expandcontract.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expandcontract.core.change import ChangeState
    from expandcontract.core.facts import Asked

NEWER = tuple(Speaks)
"""From the old shape to the new one."""


def combined(changes: Sequence[ChangeState]) -> dict[str, Move]:
    """The move that leads each of them on, where these are made as one; empty where nothing is left to do.

    They are all the same move, or all moves that one release makes by getting the traffic.

    Raises:
        UsageError: They are neither.
        RefusedError: A roll-back is in flight.
    """
    moves = {change.name: next_move(change) for change in changes}
    back = [name for name, move in moves.items() if move is Move.ROLL_BACK]
    if back:
        msg = f"a roll-back of {back[0]} is in flight; it is finished first"
        raise RefusedError(msg, hint=f"ec rollback {back[0]}")
    if len({*moves.values()}) > 1 and not {*moves.values()} <= SHIFTS:
        what = ", ".join(f"{name} wants {move or 'nothing more'}" for name, move in moves.items())
        msg = f"these moves are not made as one: {what}"
        raise UsageError(msg, hint="name those that go together, one command each; ec advance --all takes all in turn")
    return {name: move for name, move in moves.items() if move is not None}


def own(change: ChangeState, asked: Asked) -> Asked:
    """What is asked for ``change`` itself: where one shift makes several moves, its own one."""
    move = next_move(change)
    return replace(asked, move=move) if asked.move in SHIFTS and move in SHIFTS else asked


def resumed_as_begun(change: ChangeState, asked: Asked, version: str | None, *, by_database: bool) -> None:
    """Make sure that a move left in flight is not resumed under another name than it was begun with.

    Raises:
        UsageError: Another release is named, or the triggers are where a release was, or the other way round.
    """
    begun = asked.release.version if asked.release is not None else None
    if (version is None or version == begun) and (asked.by_database or not by_database):
        return
    with_what = "--by database" if asked.by_database else f"--release {begun}"
    msg = f"{asked.move} of {change.name} is in flight with {with_what}, and is resumed with nothing else"
    raise UsageError(msg, hint=f"ec advance {change.name}, or ec rollback {change.name} first")


def once(names: Sequence[str]) -> tuple[str, ...]:
    """The names in the order given, none of them twice."""
    return tuple(dict.fromkeys(names))


def same_phase(changes: Sequence[ChangeState]) -> None:
    """Make sure that they stand together, for they shall go on to one phase.

    Raises:
        UsageError: They do not.
    """
    if len({change.phase for change in changes}) > 1:
        stands = ", ".join(f"{change.name} is {change.phase}" for change in changes)
        msg = f"--to takes changes that stand together: {stands}"
        raise UsageError(msg, hint="ec advance, one command each, without --to")


def way_back(changes: Sequence[ChangeState], targets: Sequence[Asked], known: Sequence[ChangeState]) -> Asked:
    """The roll-back that takes all of them back with one shift, out of what each would ask for alone.

    Its release leaves true what will be true of each, and speaks of none a newer shape than the one it would go back
    to alone. Where each was shifted with a release of its own that is the one that was live before all of them.

    Args:
        changes: Those that go back.
        targets: What each asks for alone, in the same order.
        known: All changes of the ledger.

    Raises:
        RefusedError: No release takes all of them back.
    """
    pairs = [(change, asked) for change, asked in zip(changes, targets, strict=True) if asked.release is not None]
    for _, asked in pairs:
        if all(_leads_back(asked, change, alone, known) for change, alone in pairs):
            return asked
    if not pairs:
        return targets[0]
    what = ", ".join(f"{change.name} to {asked.release}" for change, asked in pairs)
    msg = f"no release takes all of them back: {what}"
    raise RefusedError(msg, hint=f"ec rollback {pairs[-1][0].name}, one command each")


def _leads_back(asked: Asked, change: ChangeState, alone: Asked, known: Sequence[ChangeState]) -> bool:
    assert asked.release is not None  # noqa: S101  # the caller looked
    assert alone.release is not None  # noqa: S101
    speaks = spoken(asked.release, change, known)
    far = NEWER.index(speaks) <= NEWER.index(spoken(alone.release, change, known))
    return far and speaks in requires(change, change.after(Move.ROLL_BACK))
