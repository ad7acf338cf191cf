"""Phases, moves, kinds of change, and the table of transitions.

Rules for the next editor:

1. Everything that says which phase follows which stands in ``TRANSITIONS`` and ``ROUTES``; nowhere else is a phase
   compared with another to find out what comes next. The diagram in the docs is drawn from them.
2. Phases are adjectives (what is true), moves are verbs (what is done).
3. A phase without a way out is listed with ``{}``, so that silence is never ambiguous.
4. "In flight" is no phase: a change stands at the phase it left until the move is finished.
5. A kind leaves phases out (they are vacuous for it); it never adds one and never changes their order.
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


SHIFTS = frozenset({Move.DUAL_WRITE, Move.CUT_OVER})
"""The moves that a release makes by getting the traffic; several changes may make theirs with one shift."""


class Kind(StrEnum):
    """What sort of change it is, which says which phases it passes and which releases fit when."""

    MAPPED = "mapped"
    """New columns beside old ones, each giving the other."""
    SWAPPED = "swapped"
    """A mapped change whose two columns trade names at cut-over, so that no release need notice."""
    FILLED = "filled"
    """New columns or indexes that no old ones give: they are filled and sealed, and nothing is taken away."""
    ADDITIVE = "additive"
    """Something new that no running release notices; it ends at ``expanded``."""
    TIGHTENED = "tightened"
    """A rule that the rows must keep from the contract on."""
    REMOVED = "removed"
    """Something old goes at the contract, and nothing takes its place: a column, an index, a constraint, a default."""


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
"""The whole way, which a mapped change goes."""

ORDER: tuple[Phase, ...] = tuple(Phase)
"""The phases from first to last."""

ROUTES: Mapping[Kind, tuple[Phase, ...]] = MappingProxyType(
    {
        Kind.MAPPED: ORDER,
        Kind.SWAPPED: (Phase.PLANNED, Phase.EXPANDED, Phase.BACKFILLED, Phase.CUT_OVER, Phase.CONTRACTED),
        Kind.FILLED: (Phase.PLANNED, Phase.EXPANDED, Phase.BACKFILLED),
        Kind.ADDITIVE: (Phase.PLANNED, Phase.EXPANDED),
        Kind.TIGHTENED: (Phase.PLANNED, Phase.EXPANDED, Phase.BACKFILLED, Phase.CUT_OVER, Phase.CONTRACTED),
        Kind.REMOVED: (Phase.PLANNED, Phase.EXPANDED, Phase.CUT_OVER, Phase.CONTRACTED),
    }
)
"""The phases that each kind passes; the others are vacuous for it."""


def forward(phase: Phase, kind: Kind = Kind.MAPPED) -> Move | None:
    """The one move that leads on from ``phase``, or ``None`` at the end of the kind's route."""
    ahead = _neighbour(phase, kind, 1)
    if ahead is None:
        return None
    return next(move for moves in TRANSITIONS.values() for move, end in moves.items() if end is ahead and _leads(move))


def after(phase: Phase, move: Move, kind: Kind = Kind.MAPPED) -> Phase | None:
    """The phase that ``move`` leads to from ``phase`` for that kind, or ``None`` where there is no such move."""
    if move is Move.ROLL_BACK:
        return _neighbour(phase, kind, -1) if Move.ROLL_BACK in TRANSITIONS[phase] else None
    return _neighbour(phase, kind, 1) if forward(phase, kind) is move else None


def path(start: Phase, end: Phase, kind: Kind = Kind.MAPPED) -> tuple[Move, ...]:
    """The forward moves from ``start`` to ``end``, in order; empty where ``end`` is not ahead."""
    moves: list[Move] = []
    at = start
    while at is not end:
        move = forward(at, kind)
        ahead = _neighbour(at, kind, 1)
        if move is None or ahead is None:
            return ()
        moves.append(move)
        at = ahead
    return tuple(moves)


def _leads(move: Move) -> bool:
    return move is not Move.ROLL_BACK


def _neighbour(phase: Phase, kind: Kind, step: int) -> Phase | None:
    route = ROUTES[kind]
    if phase not in route:
        return None
    at = route.index(phase) + step
    return route[at] if 0 <= at < len(route) else None
