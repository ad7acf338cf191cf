"""Which gates stand before which move, and the judgement of all of them. Pure: facts in, a judgement out."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from expandcontract.core.gate import Gate, Verdict, closed, opened
from expandcontract.core.gates import data, ground, release
from expandcontract.core.phase import ROUTES, Move, Phase, after, forward

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from expandcontract.core.change import ChangeState
    from expandcontract.core.facts import Facts
    from expandcontract.core.gate import Answer
    from expandcontract.core.release import Speaks


def _order(facts: Facts) -> Answer:
    change, move = facts.change, facts.asked.move
    if after(change.phase, move, change.kind) is not None:
        return opened(f"{move} leads on from {change.phase}")
    starts = [str(phase) for phase in ROUTES[change.kind] if after(phase, move, change.kind) is not None]
    leads = f"{move} leads from {' or '.join(starts)}" if starts else f"a {change.kind} change knows no {move}"
    return closed(
        f"{change.name} is {change.phase}; {leads}",
        measured=change.phase,
        limit=" or ".join(starts),
        next_=f"ec status {change.name}",
    )


ORDER = Gate("order", "EC309", _order)
ALWAYS = (ORDER, ground.MOVER_LOCK, ground.LEDGER_INTACT, ground.TRAFFIC_DRIFT, ground.IN_FLIGHT, ground.PREFLIGHT)
SHIFT = (release.RELEASE_FITS, release.OTHERS_HOLD, release.COLOR_HEALTHY, release.SMOKE_TEST)

GATES: Mapping[Move, tuple[Gate, ...]] = MappingProxyType(
    {
        Move.EXPAND: (*ALWAYS, ground.PAIR, ground.EARLIER_EXPANDS, ground.COLUMNS_FREE, ground.LINT),
        Move.DUAL_WRITE: (*ALWAYS, release.RELEASE_CHOSEN, *SHIFT),
        Move.BACKFILL: (*ALWAYS, data.SNAPSHOTS),
        Move.CUT_OVER: (*ALWAYS, data.PARITY, data.SEAL, release.RELEASE_CHOSEN, *SHIFT, release.WAY_BACK),
        Move.CONTRACT: (
            *ALWAYS,
            data.WINDOW,
            data.RELEASES_SPEAK_NEW,
            data.SESSIONS,
            data.PARITY,
            ground.EARLIER_CONTRACTS,
            data.DEPENDENTS,
        ),
        Move.ROLL_BACK: (
            *ALWAYS,
            release.ROLL_BACK_TARGET,
            data.FITS_BACK,
            release.RELEASE_FITS,
            release.OTHERS_HOLD,
            ground.EARLIER_EXPANDS,
        ),
    }
)
"""The gates of each move; all must be open. This table and the gates' pages in the docs are the whole truth."""

AT_THE_END: Mapping[Move, tuple[Gate, ...]] = MappingProxyType({Move.BACKFILL: (data.PARITY, data.SEAL)})
"""Gates that are asked once the move's work is done, before its end is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What all the gates of a move say.

    Attributes:
        change: The change that shall move.
        move: The move asked about.
        phase: Where the change stands.
        now: The database's clock.
        verdicts: One per gate, in the order asked.
        flags: What the move was asked for with, as ``ec advance`` takes it: `` --release v2``.
    """

    change: str
    move: Move
    phase: Phase
    now: datetime
    verdicts: tuple[Verdict, ...]
    flags: str = ""

    @property
    def open(self) -> bool:
        """Whether every gate is open."""
        return all(verdict.open for verdict in self.verdicts)

    @property
    def shut(self) -> tuple[Verdict, ...]:
        """The gates that are not open."""
        return tuple(verdict for verdict in self.verdicts if not verdict.open)

    @property
    def opens_at(self) -> datetime | None:
        """The earliest time at which the move can pass, where every shut gate tells one."""
        times = [verdict.answer.opens_at for verdict in self.shut]
        known = [time for time in times if time is not None]
        return max(known) if known and len(known) == len(times) else None

    @property
    def next_command(self) -> str:
        """What to type next: the first shut gate's advice, or the move itself."""
        if self.open:
            return (
                f"ec rollback {self.change}" if self.move is Move.ROLL_BACK else f"ec advance {self.change}{self.flags}"
            )
        return next((v.answer.next for v in self.shut if v.answer.next), f"ec gate {self.change} {self.move}")

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping; the same is served over HTTP."""
        return {
            "change": self.change,
            "move": str(self.move),
            "phase": str(self.phase),
            "open": self.open,
            "now": self.now.isoformat(),
            "opens_at": self.opens_at.isoformat() if self.opens_at else None,
            "next": self.next_command,
            "gates": [verdict.document() for verdict in self.verdicts],
        }


def ask(gates: tuple[Gate, ...], facts: Facts) -> Judgement:
    """What these gates say of these facts."""
    verdicts = tuple(Verdict(gate=gate.name, code=gate.code, answer=gate.decide(facts)) for gate in gates)
    return Judgement(
        change=facts.change.name,
        move=facts.asked.move,
        phase=facts.change.phase,
        now=facts.now,
        verdicts=verdicts,
        flags=_flags(facts),
    )


def _flags(facts: Facts) -> str:
    asked = facts.asked
    if asked.move not in release.WANTED or facts.change.in_flight is not None:
        return ""
    if asked.by_database:
        return " --by database"
    return f" --release {asked.release.version}" if asked.release is not None else ""


def judge(facts: Facts) -> Judgement:
    """What every gate of the move asked for says of these facts."""
    return ask(GATES[facts.asked.move], facts)


def next_move(change: ChangeState) -> Move | None:
    """The move that leads on: the one in flight, or the one that its phase allows; ``None`` at the end."""
    if change.in_flight is not None:
        return change.in_flight.move
    return forward(change.phase, change.kind)


def implied(move: Move) -> Speaks | None:
    """What a release named with ``move`` speaks of the change, by being named with it."""
    return release.WANTED.get(move)
