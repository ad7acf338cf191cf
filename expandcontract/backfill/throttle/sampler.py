"""Looks at some gauges again and again, and puts on the board what they say. One thread, one connection."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg

from expandcontract.backfill.throttle.gauge import Scope
from expandcontract.core.throttle import Reading, Signal, Unknown, slowdown
from expandcontract.errors import BackfillError, ConnectError
from expandcontract.ledger import throttling
from expandcontract.pg.connect import hot

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import URL

    from expandcontract.backfill.board import Board
    from expandcontract.backfill.throttle.gauge import Gauge
    from expandcontract.backfill.throttle.limits import Limits

EVERY_S = 0.5
ANSWERS_WITHIN = "2s"
FIRST_S = 5.0
"""How long the first look is waited for before anything is filled."""
NO_PRIVILEGE = "42501"


class Sampler:
    """Watches until the board says stop.

    A breach is put on the board within half a second of being measurable, and taken off by the look that finds it
    over. While the gauges cannot be read at all, nobody fills.

    Args:
        url: The target database.
        change: The change.
        relations: Object identifiers of what is filled.
        limits: What is allowed.
        board: Of this process.
        gauges: What this one looks at.
        chores: Called after each look, on the same connection.
        command: Whose sessions nobody may wait for.
    """

    def __init__(
        self,
        url: URL,
        change: str,
        relations: Sequence[int],
        limits: Limits,
        board: Board,
        gauges: Sequence[Gauge],
        chores: Sequence[Callable[[Scope], None]] = (),
        *,
        command: str = "backfill",
    ) -> None:
        self._url = url
        self._change = change
        self._relations = tuple(relations)
        self._limits = limits
        self._board = board
        self._gauges = gauges
        self._chores = chores
        self._command = f"{command} {change}"
        self._name = gauges[0].signals[0] if gauges else "server"
        self._scope: Scope | None = None
        self._looked = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"throttle {self._name}")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def wait(self) -> None:
        """Wait for the first look, but not for long."""
        self._looked.wait(FIRST_S)

    def join(self) -> None:
        """Wait for the end, which comes soon after the board's stop; one that never began is over."""
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            while not self._board.stopped:
                self._round()
                self._looked.set()
                self._board.rest(EVERY_S)
        except Exception as exc:  # noqa: BLE001 - a thread's error is raised by the one that watches
            self._board.fail(exc)
        finally:
            self._looked.set()
            self._close()

    def _round(self) -> None:
        blind = f"blind {self._name}"
        try:
            scope = self._connected()
            for gauge in self._gauges:
                self._look(gauge, scope)
            for chore in self._chores:
                chore(scope)
        except (ConnectError, psycopg.OperationalError) as exc:
            if self._scope is not None and not self._scope.connection.broken:
                self._board.note(blind, f"the throttle missed a look: {str(exc).splitlines()[0]}")
                return
            self._close()
            self._board.hold_back(blind, f"the throttle cannot look: {str(exc).splitlines()[0]}")
            return
        self._board.hold_back(blind, None)

    def _connected(self) -> Scope:
        if self._scope is None:
            connection = hot(self._url, command=self._command)
            connection.execute("SELECT set_config('statement_timeout', %s, false)", (ANSWERS_WITHIN,))
            # what is counted may be lost in a crash; waiting for a standby that does not answer may not stop the looks
            connection.execute("SELECT set_config('synchronous_commit', 'off', false)")
            name = connection.info.parameter_status("application_name") or f"ec {self._command}"
            self._scope = Scope(connection=connection, application=name, relations=self._relations, limits=self._limits)
        return self._scope

    def _close(self) -> None:
        if self._scope is not None:
            self._scope.connection.close()
            self._scope = None

    def _look(self, gauge: Gauge, scope: Scope) -> None:
        signals = [signal for signal in gauge.signals if signal in self._limits.of]
        try:
            found = list(gauge.read(scope))
        except psycopg.Error as exc:
            if scope.connection.broken:
                raise
            why = str(exc).splitlines()[0]
            grant = f"GRANT pg_monitor TO {scope.connection.info.user}" if exc.sqlstate == NO_PRIVILEGE else ""
            found = [Unknown(signal=signal, why=why, grant=grant) for signal in signals]
        readings = [item for item in found if isinstance(item, Reading)]
        for reading in readings:
            self._heed(scope, reading)
        for unknown in found:
            if isinstance(unknown, Unknown):
                self._unknown(unknown, read=unknown.signal in {reading.signal for reading in readings})
        self._board.slow_down(signals[0], slowdown(readings))

    def _heed(self, scope: Scope, reading: Reading) -> None:
        self._board.hold_back(reading.signal, str(reading) if reading.breached else None)
        if reading.breached:
            self._count(scope, reading)

    def _count(self, scope: Scope, reading: Reading) -> None:
        try:
            throttling.record(scope.connection, self._change, reading)
        except psycopg.OperationalError:
            # on a full disk nothing can be counted; a lost count is no reason to look away
            if scope.connection.broken:
                raise

    def _unknown(self, unknown: Unknown, *, read: bool) -> None:
        """A default that cannot be read is said once; a limit that somebody set is not passed over in silence."""
        if unknown.signal not in self._limits.explicit:
            self._board.note(unknown.signal, str(unknown))
            if not read:
                self._board.hold_back(unknown.signal, None)
        elif unknown.grant:
            raise _unreadable(unknown)
        else:
            self._board.hold_back(unknown.signal, f"{_setting(unknown.signal)} is unknown: {unknown.why}")


def _setting(signal: Signal) -> str:
    return f"backfill.throttle.{signal}"


def _unreadable(unknown: Unknown) -> BackfillError:
    msg = f"{_setting(unknown.signal)} is set and cannot be heeded: {unknown.why}"
    return BackfillError(msg, hint=f"{unknown.grant}, or take the setting away; then run the same command again")
