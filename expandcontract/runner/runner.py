"""One call a command: down the layers once, and one value, or a stream of events, comes back up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.config.duration import parse_duration
from expandcontract.core.phase import Move, Phase
from expandcontract.core.plan import Judgement, judge, next_move
from expandcontract.errors import RefusedError
from expandcontract.ledger import Ledger
from expandcontract.pg.connect import connect
from expandcontract.runner import (
    back,
    drifting,
    every,
    forward,
    moving,
    rows,
    scaling,
    steering,
    switching,
    verifying,
    views,
)
from expandcontract.runner.begin import begin
from expandcontract.runner.call import Call
from expandcontract.runner.deploying import deploy
from expandcontract.runner.events import Event, Written
from expandcontract.runner.lengthen import lengthen
from expandcontract.runner.mending import mend
from expandcontract.runner.mover import Mover, mover
from expandcontract.runner.observe import known, observe, read_weights
from expandcontract.runner.place import Place
from expandcontract.runner.running import Running
from expandcontract.runner.together import once
from expandcontract.runner.waiting import patience

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import timedelta
    from pathlib import Path

    from expandcontract.config.settings import Settings
    from expandcontract.core.change import ChangeState
    from expandcontract.core.color import Color
    from expandcontract.core.facts import Asked
    from expandcontract.core.release import Speaks
    from expandcontract.lint.finding import Report
    from expandcontract.runner.rehearsal import Wanted

__all__ = ["Runner", "parse_duration"]


class Runner:
    """Everything that ``ec`` can do.

    Args:
        settings: Checked settings.
        directory: The project's top folder.
        place: What these lead to; default: what they say.
    """

    def __init__(self, settings: Settings, directory: Path, *, place: Place | None = None) -> None:
        self._place = place or Place(settings, directory)

    @property
    def _window(self) -> timedelta:
        return self._place.settings.window.length

    def _mover(self, command: str, *, terminate_idle: bool) -> AbstractContextManager[Mover]:
        allowed = patience(self._place.settings, f"ec {command}", terminate_idle=terminate_idle)
        return mover(self._place.url, command, self._window, allowed)

    def init(self, *, development: bool = False) -> Iterator[Event]:
        """Attach to the project's Alembic environment, and create or upgrade the ledger; may run again."""
        yield from begin(self._place, development=development)

    def new(self, recipe: str, **arguments: Any) -> Written:
        """Write the pair of a recipe; the database is only read."""
        from expandcontract.runner import writing  # noqa: PLC0415  # only here

        return writing.new(self._place, recipe, arguments)

    def new_auto(self, message: str, **answers: Any) -> Written:
        """Write a pair for each difference between the models and the database; ``answers`` as in :class:`Answers`."""
        from expandcontract.revisions.auto import Answers  # noqa: PLC0415  # only here
        from expandcontract.runner import writing  # noqa: PLC0415

        return writing.new_auto(self._place, message, Answers(**answers))

    def abandon(self, name: str) -> tuple[Path, ...]:
        """Take an unexpanded pair out of both chains; returns the deleted files."""
        from expandcontract.revisions.abandon import abandon  # noqa: PLC0415  # only here

        known = {pair.name: pair for pair in self._place.project.pairs()}
        pair = known[name] if name in known else self._place.project.pair(name)
        with connect(self._place.url, command="abandon") as connection:
            return abandon(self._place.project, pair, self._place.project.applied(connection))

    def lint(self, names: Sequence[str] = (), *, since: str | None = None) -> Report:
        """What the rules say of revisions, changes or files, or of all; asks no database."""
        from expandcontract.runner import lint  # noqa: PLC0415  # loads every rule

        return lint.lint(self._place, names, since)

    def status(self, name: str | None = None, *, files: bool = True) -> dict[str, object]:
        """The state of one change or of all, of the releases and of the traffic; without ``files``, of the ledger's."""
        with connect(self._place.url, command="status") as connection:
            ledger = Ledger(connection, window=self._window)
            if name is not None and files:
                self._known(ledger, name)
            return views.status(self._place, ledger, name, files=files)

    def gate(
        self,
        name: str,
        move: Move,
        *,
        release: str | None = None,
        by_database: bool = False,
        speaks: Mapping[str, Speaks] | None = None,
    ) -> Judgement:
        """What the gates of ``move`` say now; changes nothing."""
        with connect(self._place.url, command="gate") as connection:
            ledger = Ledger(connection, window=self._window)
            change = self._known(ledger, name)
            call = Call(release=release, by_database=by_database, speaks=speaks or {})
            asked = self._asked(ledger, change, move, call)
            return judge(observe(self._place, connection, ledger, name, asked))

    def plan(self, name: str) -> dict[str, object]:
        """What the next move will do, and what its gates say."""
        from expandcontract.runner import planned  # noqa: PLC0415  # loads what foretells locks

        with connect(self._place.url, command="plan") as connection:
            ledger = Ledger(connection, window=self._window)
            change = self._known(ledger, name)
            found = planned.work(self._place, connection, change)
            move = next_move(change)
            found["drift"] = drifting.document(self._place, ledger)
            if move is not None:
                asked = self._asked(ledger, change, move, Call())
                facts = observe(self._place, connection, ledger, name, asked)
                found["preflight"] = planned.findings(facts.preflight or ())
                found["judgement"] = judge(facts).document()
            return found

    def rehearse(self, name: str, wanted: Wanted) -> Iterator[Event]:
        """Take a change all the way on a scratch database, forward, back and forward; the target is only read."""
        from expandcontract.runner import rehearsal  # noqa: PLC0415  # only here

        yield from rehearsal.rehearse(self._place, name, wanted)

    def advance(
        self,
        names: Sequence[str],
        *,
        to: Phase | None = None,
        release: str | None = None,
        by_database: bool = False,
        speaks: Mapping[str, Speaks] | None = None,
        steps: Sequence[int] | None = None,
        terminate_idle: bool = False,
        fence: bool = False,
    ) -> Iterator[Event]:
        """Take the named changes one move on, or on to ``to``; with no name, each whose gates are open."""
        call = Call(release=release, by_database=by_database, speaks=speaks or {}, steps=steps, fence=fence)
        names = once(names)
        command = "advance " + (" ".join(names) or "--all")
        with self._mover(command, terminate_idle=terminate_idle) as m:
            yield from moving.advance(self._place, m, names, to, call) if names else every.advance(self._place, m, call)

    def run(
        self,
        names: Sequence[str],
        call: Call,
        *,
        deployed: bool = False,
        wait: timedelta | None = None,
        terminate_idle: bool = False,
    ) -> Iterator[Event]:
        """Take changes, all where none is named, as far as their gates allow; ``wait`` for what only time opens."""
        names = once(names)
        command = "run " + (" ".join(names) or "--all")
        running = Running(
            place=self._place,
            names=names,
            call=call,
            deployed=deployed,
            wait=wait,
            command=command,
            become=lambda: self._mover(command, terminate_idle=terminate_idle),
        )
        yield from running.run()

    def backfill(self, name: str) -> Iterator[Event]:
        """Do, or resume, the backfill of a change whose next move it is."""
        with connect(self._place.url, command="backfill") as connection:
            change = self._known(Ledger(connection, window=self._window), name)
        if change.path(Phase.BACKFILLED) != (Move.BACKFILL,):
            msg = f"{name} is {change.phase}, and no backfill leads on from there"
            raise RefusedError(msg, hint=f"ec status {name}")
        yield from self.advance([name])

    def verify(self, name: str) -> Iterator[Event]:
        """Compare every row, and before cut-over repair the new shape from the old one."""
        yield from verifying.verify(self._place, name)

    def verify_again(self, name: str, every: timedelta) -> Iterator[Event]:
        """Count the rows that differ again and again, while the change has both shapes; changes nothing."""
        yield from verifying.watch(self._place, name, every)

    def repair(self, name: str, *, terminate_idle: bool = False) -> Iterator[Event]:
        """Make hold and triggers anew where they are missing or altered, and compare every row."""
        with self._mover(f"repair {name}", terminate_idle=terminate_idle) as m:
            with m.reading() as ledger:
                change = self._known(ledger, name)
            yield from mend(self._place, m, change)

    def deploy(self, color: Color, version: str, speaks: Mapping[str, Speaks] | None = None) -> Iterator[Event]:
        """Put a version on a color that gets no traffic, and record it."""
        yield from deploy(self._place, color, version, speaks or {})

    def scale_down(self, color: Color) -> Iterator[Event]:
        """End all processes of a color that gets no traffic and is no way back."""
        yield from scaling.scale_down(self._place, color)

    def switch(self, color: Color, steps: Sequence[int] | None = None) -> Iterator[Event]:
        """Shift all the traffic to a color whose release fits and keeps every change's phase true."""
        with mover(self._place.url, f"switch {color}", self._window) as m:
            yield from switching.switch(self._place, m, color, steps)

    def adopt(self) -> Iterator[Event]:
        """Accept the weights that the balancer reads as the truth."""
        with mover(self._place.url, "switch --adopt", self._window) as m:
            yield from switching.adopt(self._place, m)

    def check_switch(self) -> dict[str, object]:
        """Whether the configured balancer can be reached, read and written; changes nothing."""
        return switching.look(self._place)

    def tell(self, word: str, why: str | None = None) -> dict[str, object]:
        """Let the shift that is under way pause, resume or abort, in whatever process; needs no mover lock."""
        said = switching.tell(self._place, word, why)
        return {"said": said, "status": self.status(files=False)}

    def foretell(self, names: Sequence[str], steps: Sequence[int] | None = None) -> dict[str, object]:
        """What ``rollback`` of the named changes would do, and what its gates say; changes nothing."""
        from expandcontract.runner import foretold  # noqa: PLC0415  # only here

        return foretold.rollback(self._place, once(names), tuple(steps or back.STRAIGHT))

    def rollback(
        self, names: Sequence[str], *, steps: Sequence[int] | None = None, terminate_idle: bool = False
    ) -> Iterator[Event]:
        """Lead the named changes one phase back, or take back what is in flight; the traffic at once, or by stages."""
        names, stages = once(names), tuple(steps or back.STRAIGHT)
        with self._mover("rollback " + " ".join(names), terminate_idle=terminate_idle) as m:
            with m.reading() as ledger:
                changes = [self._known(ledger, name) for name in names]
            flying = [change for change in changes if change.in_flight is not None]
            if flying and flying[0].in_flight and flying[0].in_flight.move is not Move.ROLL_BACK:
                yield from back.take_back(self._place, m, moving.whole(self._place, m, flying[0]), stages)
                return
            origin = read_weights(self._place)[0]
            if flying:
                changes = moving.whole(self._place, m, flying[0])
                asked, origin, stages = forward.recalled(flying[0])
            else:
                with m.reading() as ledger:
                    asked = back.asked_of_all(self._place, ledger, changes)
                moving.judged(self._place, m, changes, asked)
                with m.writing() as ledger:
                    for change in changes:
                        kept = forward.remembered(asked, origin, stages)
                        ledger.begin(change.name, change.phase, Move.ROLL_BACK, arguments=kept)
            for change in changes:
                yield Event(kind="began", text=f"roll-back of {change.name} from {change.phase}", change=change.name)
                if change.phase is Phase.CUT_OVER:
                    yield from rows.lost(self._place, change)
            yield from back.roll_back(self._place, m, changes, asked, origin=origin, steps=stages)
            yield from moving.finished(self._place, m, changes)

    def window(self, name: str, extend: timedelta) -> dict[str, object]:
        """Lengthen the rollback window of a change."""
        return lengthen(self._place, name, extend)

    def steer(
        self,
        name: str,
        word: str,
        *,
        workers: int | None = None,
        target: timedelta | None = None,
        why: str | None = None,
    ) -> dict[str, object]:
        """Pause, resume or set the pace of a backfill that runs, in whatever process; needs no mover lock."""
        steering.steer(self._place, name, word, workers=workers, target=target, why=why)
        return self.status(name)

    def course(self, name: str) -> dict[str, object]:
        """How the backfill of a change has gone so far, or went."""
        from expandcontract.runner.course import course  # noqa: PLC0415  # only here

        return course(self._place, name)

    def history(self, name: str | None = None) -> list[dict[str, object]]:
        """The journal of one change or of all, first to last."""
        with connect(self._place.url, command="history") as connection:
            ledger = Ledger(connection, window=self._window)
            if name is not None:
                self._known(ledger, name)
            return ledger.history(name)

    def verify_history(self) -> dict[str, object]:
        """Recompute the journal's chain of hashes; raises :class:`LedgerTamperedError` where it does not hold."""
        with connect(self._place.url, command="history") as connection:
            return views.verified(Ledger(connection, window=self._window))

    def _known(self, ledger: Ledger, name: str) -> ChangeState:
        return known(self._place, ledger, name)

    def _asked(self, ledger: Ledger, change: ChangeState, move: Move, call: Call) -> Asked:
        return moving.asked_for(self._place, ledger, [change], {change.name: move}, call)
