"""``ec run``: pass after pass over some changes, or all, until nothing more moves; waiting where time is all it takes.

Rules for the next editor:

1. While it waits it holds no mover lock, so that a person can roll back, deploy or lengthen a window meanwhile; it
   looks at the ledger now and then, and judges anew where anything has changed.
2. One run of a change at a time, by a lock of its own on a connection of its own.
3. What a person took back, or what failed and came back by itself, it does not do again until a person advances it.
4. It refuses without a word in the journal: a timer would fill that.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError

from expandcontract.core.duration import in_words
from expandcontract.core.plan import next_move
from expandcontract.errors import BusyError, FailedError
from expandcontract.ledger import Ledger
from expandcontract.pg.connect import connect, refuse_pooled
from expandcontract.pg.lock import runs, try_run_locks
from expandcontract.runner.events import Event
from expandcontract.runner.every import one_pass, waiting
from expandcontract.runner.left import Left, Passed, stuck
from expandcontract.runner.moving import current
from expandcontract.runner.observe import read_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from sqlalchemy import Connection

    from expandcontract.runner.call import Call
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place

LOOK = timedelta(seconds=15)
"""How often the ledger is looked at while time passes."""


@dataclass(frozen=True, kw_only=True)
class Running:
    """One run.

    Attributes:
        place: Where we work.
        names: The changes; with none, all.
        call: What was asked for. Beside a release, ``by_database`` goes for the dual-writes alone.
        deployed: Whether the release on the idle color may be taken, for what it was recorded to speak.
        wait: How long to wait, in all, for what only time opens; ``None``: not at all.
        command: How others see it.
        become: Becomes the mover.
    """

    place: Place
    names: Sequence[str]
    call: Call
    deployed: bool
    wait: timedelta | None
    command: str
    become: Callable[[], AbstractContextManager[Mover]]

    def run(self) -> Iterator[Event]:
        """Go as far as the gates allow.

        Raises:
            BusyError: Another run has one of the changes, or another mover is at work.
            RefusedError: Something is left that does not move now, each with its reason.
        """
        end = time.monotonic() + (self.wait or timedelta()).total_seconds()
        with connect(self.place.url, command=self.command) as connection:
            refuse_pooled(connection)
            self._alone(connection)
            while True:
                with self.become() as m:
                    passed = yield from self._pass(m)
                if passed.moved:
                    continue
                if not passed.left:
                    yield Event(kind="note", text="nothing is left to do")
                    return
                first = self._first(passed.left, timedelta(seconds=end - time.monotonic()))
                if first is None:
                    raise stuck(passed.left)
                yield from self._wait(connection, first)

    def _alone(self, connection: Connection) -> None:
        with connection.begin():
            if not try_run_locks(connection, self.names):
                others = ", ".join(runs(connection)) or "another run"
                msg = f"{others} runs these changes already; nothing was changed"
                raise BusyError(msg, hint="ec status --watch")

    def _pass(self, m: Mover) -> Generator[Event, None, Passed]:
        current(self.place, m, self.names)  # an unknown name is an error
        call = self._released(m)
        held = self._held(m)
        found = waiting(self.place, m, self.names or None)
        only = [change.name for change in found if change.name not in {left.change for left in held}]
        passed = yield from one_pass(self.place, m, call, shifts=call.release is not None, others=True, only=only)
        return replace(passed, left=(*held, *passed.left))

    def _released(self, m: Mover) -> Call:
        """The call, with the release that stands on the idle color where that was asked for."""
        if not self.deployed:
            return self.call
        weights, _ = read_weights(self.place)
        live = weights.live if weights else None
        with m.reading() as ledger:
            release = ledger.releases().get(live.other) if live else None
        return replace(self.call, release=release.version if release else None)

    def _held(self, m: Mover) -> list[Left]:
        """The changes that were rolled back, or came back, and stand still since."""
        with m.reading() as ledger:
            back = ledger.turned_back()
        return [
            Left(
                change=change.name,
                phase=change.phase,
                move=next_move(change) or "",
                why=f"it was taken back at {back[change.name][0]:%Y-%m-%d %H:%M:%S %Z}, and no run takes it on again",
                hint=f"ec advance {change.name}",
            )
            for change in waiting(self.place, m, self.names or None)
            if change.name in back and change.in_flight is None
        ]

    def _first(self, left: Sequence[Left], patience: timedelta) -> Left | None:
        """What opens first by time alone, where that is within our patience."""
        timed = [(found.opens_at - found.now, found) for found in left if found.opens_at and found.now]
        ahead, first = min(timed, key=lambda two: two[0], default=(timedelta(), None))
        return first if self.wait is not None and ahead <= patience else None

    def _wait(self, connection: Connection, first: Left) -> Iterator[Event]:
        assert first.opens_at is not None  # noqa: S101  # chosen for it
        assert first.now is not None  # noqa: S101
        text = f"waiting {in_words(first.opens_at - first.now)} for {first.change}: {first.why}"
        until: dict[str, object] = {"until": first.opens_at.isoformat(), "move": first.move}
        yield Event(kind="waiting", text=text, change=first.change, data=until)
        try:
            _, before = self._seen(connection)
            while True:
                now, seen = self._seen(connection)
                if seen != before or now >= first.opens_at:
                    return
                time.sleep(min(LOOK, first.opens_at - now).total_seconds())
        except DBAPIError as exc:
            msg = f"the connection was lost while waiting for {first.change}; nothing is in flight"
            raise FailedError(msg, hint=f"ec {self.command}") from exc

    def _seen(self, connection: Connection) -> tuple[datetime, object]:
        """The database's clock, and all that can make it worth to judge anew."""
        with connection.begin():
            ledger = Ledger(connection, window=self.place.settings.window.length)
            return ledger.now(), (ledger.changes(), tuple(ledger.releases().items()), ledger.weights())
