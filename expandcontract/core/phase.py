"""Phases, moves and the table of transitions.

Rules for the next editor:

1. Everything that says which phase follows which stands in ``TRANSITIONS``; nowhere else is a phase compared with
   another to find out what comes next. The diagram in the docs is drawn from it.
2. Phases are adjectives (what is true), moves are verbs (what is done).
3. A phase without a way out is listed with ``{}``, so that silence is never ambiguous.
4. "In flight" is no phase: a change stands at the phase it left until the move is finished.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class Phase(StrEnum):
    """What is true of a change."""

    PLANNED = "planned"
    """The pair of revisions exists."""
    EXPANDED = "expanded"
    """The new shape exists beside the old one, the hold and the triggers with it."""
    DUAL_WRITING = "dual_writing"
    """Every write reaches both shapes, by the live release or by the triggers."""
    BACKFILLED = "backfilled"
    """Every row is filled, proved equal and sealed."""
    CUT_OVER = "cut_over"
    """The release that uses only the new shape has the traffic; the rollback window runs."""
    CONTRACTED = "contracted"
    """The old shape is gone."""


class Move(StrEnum):
    """What is done to get from one phase to another."""

    EXPAND = "expand"
    DUAL_WRITE = "dual-write"
    BACKFILL = "backfill"
    CUT_OVER = "cut-over"
    CONTRACT = "contract"
    ROLL_BACK = "roll-back"


TRANSITIONS: Mapping[Phase, Mapping[Move, Phase]] = MappingProxyType(
    {
        Phase.PLANNED: {Move.EXPAND: Phase.EXPANDED},
        Phase.EXPANDED: {Move.DUAL_WRITE: Phase.DUAL_WRITING, Move.ROLL_BACK: Phase.PLANNED},
        Phase.DUAL_WRITING: {Move.BACKFILL: Phase.BACKFILLED, Move.ROLL_BACK: Phase.EXPANDED},
        Phase.BACKFILLED: {Move.CUT_OVER: Phase.CUT_OVER, Move.ROLL_BACK: Phase.DUAL_WRITING},
        Phase.CUT_OVER: {Move.CONTRACT: Phase.CONTRACTED, Move.ROLL_BACK: Phase.BACKFILLED},
        Phase.CONTRACTED: {},
    }
)

ORDER: tuple[Phase, ...] = tuple(Phase)
"""The phases from first to last."""


def after(phase: Phase, move: Move) -> Phase | None:
    """The phase that ``move`` leads to from ``phase``, or ``None`` where there is no such move."""
    return TRANSITIONS[phase].get(move)


def forward(phase: Phase) -> Move | None:
    """The one move that leads on from ``phase``, or ``None`` at the end."""
    return next((move for move in TRANSITIONS[phase] if move is not Move.ROLL_BACK), None)


def path(start: Phase, end: Phase) -> tuple[Move, ...]:
    """The forward moves from ``start`` to ``end``, in order; empty where ``end`` is not ahead."""
    moves: list[Move] = []
    at = start
    while at is not end:
        move = forward(at)
        if move is None:
            return ()
        moves.append(move)
        at = TRANSITIONS[at][move]
    return tuple(moves)
