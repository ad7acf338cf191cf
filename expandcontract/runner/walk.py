"""Takes a change all the way on a rehearsal's stage, forward, back and forward, and notes what each statement did."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.phase import Move, Phase
from expandcontract.core.plan import next_move
from expandcontract.core.rehearsal import compared
from expandcontract.errors import ExpandContractError, FailedError, RehearsalError
from expandcontract.ledger import Ledger
from expandcontract.pg import witness
from expandcontract.pg.connect import connect
from expandcontract.pg.locks import predict
from expandcontract.revisions import run
from expandcontract.runner import planned
from expandcontract.runner.observe import merged
from expandcontract.runner.runner import Runner

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from expandcontract.core.change import ChangeState
    from expandcontract.core.color import Color
    from expandcontract.core.effect import Effect
    from expandcontract.core.rehearsal import Line
    from expandcontract.core.release import Speaks
    from expandcontract.pg.locks.recording import Recorder
    from expandcontract.runner.events import Event
    from expandcontract.runner.stage import Stage

OLD, DUAL, NEW = "rehearsed-old", "rehearsed-dual", "rehearsed-new"
RELEASES = {Move.DUAL_WRITE: DUAL, Move.CUT_OVER: NEW}


@dataclass(slots=True, kw_only=True)
class Passage:
    """One move of a rehearsal.

    Attributes:
        move: Which.
        start: The phase that it left.
        end: The phase that it led to; ``None`` where it failed.
        took_s: How long all of it took, our looking included.
        lines: Its statements.
        notes: What the move itself said that a person should know.
        error: Why it failed.
    """

    move: Move
    start: Phase
    end: Phase | None = None
    took_s: float = 0.0
    lines: tuple[Line, ...] = ()
    notes: list[str] = field(default_factory=list)
    error: ExpandContractError | None = None

    @property
    def differing(self) -> int:
        """How many of its statements did other than foretold."""
        return sum(bool(line.differences) for line in self.lines)


class Walk:
    """A change on its way over a stage.

    Args:
        stage: Where.
        recorder: Sees what is run.
        name: The change.

    Attributes:
        notes: What was done beforehand, and what was left out, each with why.
    """

    def __init__(self, stage: Stage, recorder: Recorder, name: str) -> None:
        self._stage, self._recorder, self._name = stage, recorder, name
        self._others: dict[str, Speaks] = {}
        self._old = OLD
        self.notes: list[str] = []

    def whole(self) -> Iterator[Passage]:
        """Every move: forward to before the contract, back to where it began, forward again, and the contract.

        A passage that failed is the last one.

        Raises:
            RehearsalError: What the expand stands on cannot be applied.
        """
        yield from self._until_failure(self._way())

    def _until_failure(self, passages: Iterator[Passage]) -> Iterator[Passage]:
        for passage in passages:
            yield passage
            if passage.error is not None:
                return

    def _way(self) -> Iterator[Passage]:
        try:
            self._begin()
        except ExpandContractError as exc:
            msg = f"the rehearsal of {self._name} could not begin: {exc.message}"
            raise RehearsalError(msg, hint=exc.hint) from exc
        yield from self._forward()
        yield from self._back()
        yield from self._forward()
        if not self.state().ended and self._may_contract():
            self._ready_for_contract()
            yield self._advance()

    def state(self) -> ChangeState:
        """The change as it stands on the stage."""
        with connect(self._stage.url, command="rehearse") as connection:
            return next(c for c in merged(self._stage, Ledger(connection)) if c.name == self._name)

    def _runner(self) -> Runner:
        return Runner(self._stage.settings, self._stage.directory, place=self._stage)

    def _begin(self) -> None:
        """Have a release live that speaks of other changes what the target's live one does."""
        live = self._stage.memory.read().live
        with connect(self._stage.url, command="rehearse") as connection:
            deployed = Ledger(connection).releases().get(live) if live else None
        if deployed is not None:
            self._old = deployed.version
            self._others = {name: speaks for name, speaks in deployed.speaks.items() if name != self._name}
        elif live is not None:
            self._do(self._runner().deploy(live, OLD))
            self._do(self._runner().switch(live, (100,)))
        for before in self._applied_first():
            self.notes.append(f"applied on the scratch database first, because the expand stands on it: {before}")

    def _applied_first(self) -> Iterator[str]:
        """Apply what the target lacks of that on which the expand stands: other pairs are expanded."""
        project = self._stage.project
        pairs = {pair.name for pair in project.pairs()}
        with connect(self._stage.url, command="rehearse") as connection:
            missing = project.earlier_expands(project.pair(self._name), project.applied(connection))
        for label in missing:
            if label in pairs:
                self._do(self._runner().advance([label]))
            else:
                run.plain(project, label)
            yield label

    def _may_contract(self) -> bool:
        """Whether nothing stands before the contract that is not there yet; what does is noted."""
        project = self._stage.project
        with connect(self._stage.url, command="rehearse") as connection:
            earlier = project.earlier_contracts(project.pair(self._name), project.applied(connection))
        if earlier:
            what = (
                f"the contract was not rehearsed: it comes after {', '.join(earlier)}, which is still to be contracted"
            )
            self.notes.append(what)
        return not earlier

    def _forward(self) -> Iterator[Passage]:
        while not (state := self.state()).ended and state.phase is not Phase.CUT_OVER:
            yield self._advance()

    def _back(self) -> Iterator[Passage]:
        last = Phase.EXPANDED if self.state().irreversible else Phase.PLANNED
        while self.state().phase is not last:
            if self.state().phase is Phase.EXPANDED:
                self._do(self._runner().deploy(self._idle(), self._old))
            yield self._passage(Move.ROLL_BACK, None, lambda: self._runner().rollback([self._name]))

    def _advance(self) -> Passage:
        state = self.state()
        move = next_move(state)
        assert move is not None  # noqa: S101  # asked only where there is a way on
        release = None if state.unnoticed else RELEASES.get(move)
        with connect(self._stage.url, command="rehearse") as connection:
            statements = planned.sql(self._stage, connection, state, move)
            plan = predict(connection, statements)

        def advance() -> Iterator[Event]:
            return self._runner().advance([self._name], release=release, speaks=self._others)

        return self._passage(move, plan, advance)

    def _passage(self, move: Move, plan: tuple[Effect, ...] | None, act: Callable[[], Iterator[Event]]) -> Passage:
        passage = Passage(move=move, start=self.state().phase)
        self._recorder.taken()  # of what came between two moves
        began = time.monotonic()
        try:
            passage.notes += self._do(act())
            passage.end = self.state().phase
        except ExpandContractError as exc:
            passage.error = exc
        except (DBAPIError, psycopg.Error) as exc:
            said = str(exc.orig if isinstance(exc, DBAPIError) else exc).splitlines()[0]
            passage.error = FailedError(f"PostgreSQL says: {said}")
        passage.took_s = time.monotonic() - began
        seen = self._recorder.taken()
        passage.lines = compared(plan if passage.error is None else None, seen)
        return passage

    def _do(self, events: Iterator[Event]) -> list[str]:
        with witness.watched_by(self._recorder):
            return [event.text for event in events if event.kind == "note"]

    def _ready_for_contract(self) -> None:
        """The window is over, on the stage, and the previous color has the new release too."""
        with connect(self._stage.url, command="rehearse") as connection, connection.begin():
            statement = text("UPDATE expandcontract.change SET window_length = interval '0' WHERE name = :name")
            connection.execute(statement, {"name": self._name})
        if not self.state().unnoticed:
            self._do(self._runner().deploy(self._idle(), NEW))

    def _idle(self) -> Color:
        live = self._stage.memory.read().live
        assert live is not None  # noqa: S101  # a shift ends with all the traffic on one color
        return live.other
