"""Whether others are at work on the server: then batches are short, and made of short statements."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from expandcontract.backfill.board import Board
    from expandcontract.backfill.throttle.gauge import Scope


class Company:
    """Puts on the board whether any session that is not ours has done something of late, in any database.

    Two looks must agree: whoever asks a single question is no company. What our role may not see counts as at work.

    Args:
        board: Of this process.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._before = False

    def look(self, scope: Scope) -> None:
        """Look once; a chore of the sampler."""
        found = bool(scope.ask("company")[0]["working"])
        if found == self._before:
            self._board.company = found
        self._before = found
