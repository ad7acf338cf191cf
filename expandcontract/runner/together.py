"""Changes named in one command: they must stand in the same phase to move together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.phase import Move
from expandcontract.core.plan import next_move
from expandcontract.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expandcontract.core.change import ChangeState
    from expandcontract.core.facts import Asked


def common_move(changes: Sequence[ChangeState]) -> Move | None:
    """The one move that leads all of them on, or ``None`` where nothing is left to do.

    Raises:
        UsageError: They do not stand together.
        RefusedError: A roll-back is in flight.
    """
    moves = {next_move(change) for change in changes}
    if len(moves) > 1:
        raise _apart(changes, "name those that do, one command each")
    move = moves.pop()
    if move is Move.ROLL_BACK:
        msg = f"a roll-back of {changes[0].name} is in flight; it is finished first"
        raise RefusedError(msg, hint=f"ec rollback {changes[0].name}")
    return move


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
    """Make sure that they stand together.

    Raises:
        UsageError: They do not.
    """
    if len({change.phase for change in changes}) > 1:
        raise _apart(changes, "roll the later one back first")


def _apart(changes: Sequence[ChangeState], hint: str) -> UsageError:
    stands = ", ".join(f"{change.name} is {change.phase}" for change in changes)
    return UsageError(f"these changes do not stand together: {stands}", hint=hint)
