"""What one pass over several changes came to: who moved, and why every other one did not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from expandcontract.core.gates import data
from expandcontract.errors import MappingError, PairError, RefusedError
from expandcontract.runner.events import Event
from expandcontract.runner.moving import judgement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from expandcontract.core.change import ChangeState
    from expandcontract.core.facts import Asked
    from expandcontract.core.plan import Judgement
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place

COUNTED = frozenset({data.PARITY.name, data.FITS_BACK.name})
"""The gates that read every row, and are asked last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A change that makes no move now.

    Attributes:
        change: Its name.
        phase: Where it stays.
        move: The move that it does not make.
        why: In words, each reason with its code.
        hint: What to type.
        opens_at: When the move can be made, where time is the only reason against it.
        now: The database's clock as that was asked.
    """

    change: str
    phase: str
    move: str
    why: str
    hint: str
    opens_at: datetime | None = None
    now: datetime | None = None

    def __str__(self) -> str:
        return f"{self.change} stays {self.phase}, {self.move} is refused: {self.why}"

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping."""
        return {
            "change": self.change,
            "phase": str(self.phase),
            "move": str(self.move),
            "why": self.why,
            "opens_at": self.opens_at.isoformat() if self.opens_at else None,
            "next": self.hint,
        }

    def event(self) -> Event:
        """As told while other changes move."""
        return Event(kind="note", text=f"{self}; next: {self.hint}", change=self.change, data=self.document())


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """What one pass came to.

    Attributes:
        moved: The changes that made a move.
        left: The others that have one left, each with its reason.
    """

    moved: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()


def asked(place: Place, m: Mover, change: ChangeState, wanted: Asked) -> Judgement:
    """What the gates say; the rows are counted only where no other gate is shut."""
    found = judgement(place, m, change, wanted, count=False)
    others = replace(found, verdicts=tuple(v for v in found.verdicts if v.gate not in COUNTED))
    return judgement(place, m, change, wanted) if others.open else others


def judged(place: Place, m: Mover, change: ChangeState, wanted: Asked) -> Left | None:
    """Why the change does not make its move; ``None`` where every gate is open."""
    try:
        found = asked(place, m, change, wanted)
    except (PairError, MappingError) as exc:
        hint = exc.hint or f"ec gate {change.name} {wanted.move}"
        return Left(
            change=change.name, phase=change.phase, move=wanted.move, why=f"{exc.code} {exc.message}", hint=hint
        )
    return None if found.open else of(found)


def of(found: Judgement) -> Left:
    """A judgement that refuses."""
    return Left(
        change=found.change,
        phase=found.phase,
        move=found.move,
        why="; ".join(map(str, found.shut)),
        hint=found.next_command,
        opens_at=found.opens_at,
        now=found.now,
    )


def stuck(left: Sequence[Left]) -> RefusedError:
    """The refusal where nothing can move."""
    reasons = "\n".join(f"  {found}" for found in left)
    document: dict[str, object] = {"left": [found.document() for found in left]}
    return RefusedError(f"nothing more can move now:\n{reasons}", hint=left[0].hint, document=document)
