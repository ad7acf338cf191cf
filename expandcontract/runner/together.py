"""Changes named in one command: they must stand in the same phase to move together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.phase import Move
from expandcontract.core.plan import next_move
from expandcontract.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expandcontract.core.change import ChangeState


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
