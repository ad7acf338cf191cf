"""VACUUM between two windows, where dead rows pass a share of a relation and nobody else clears them away.

Striping lets most dead rows be pruned by the next pass; what is left (rows that moved to another page, an old snapshot
that has just gone) would make the relation grow. Never ``VACUUM FULL``: it locks everybody out and moves every row.
"""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from expandcontract.core.throttle import Signal

if TYPE_CHECKING:
    from psycopg.errors import Diagnostic

    from expandcontract.backfill.board import Board
    from expandcontract.backfill.throttle.gauge import Scope

STATEMENT = sql.SQL("VACUUM (INDEX_CLEANUP AUTO, TRUNCATE FALSE, SKIP_LOCKED) {}")
GENTLE = sql.SQL("VACUUM (INDEX_CLEANUP AUTO, TRUNCATE FALSE, SKIP_LOCKED, PARALLEL 0) {}")
"""Beside others: one process, that rests as autovacuum's do by default."""
REST = "SELECT set_config('vacuum_cost_delay', '2ms', false) WHERE current_setting('vacuum_cost_delay') = '0'"
LEAST_ROWS = 1000
"""Fewer dead rows than that are nobody's concern."""
AGAIN_S = 30.0
"""How long after one that was skipped, gave way or left many rows the next is asked for."""
AGAIN_TIMES = 20.0
"""And how many times what one took that is at least: a share of 5 % for work that may be in vain."""
CANCELS_WITHIN_S, CANCELS_AGAIN_S = 2.0, 0.1
NOT_AVAILABLE = "55P03"
FLUSHES = 150000
"""The first version that tells of dead rows when asked to."""


@dataclass(slots=True)
class Past:
    """What is known of one relation.

    Attributes:
        left: Dead rows by the server's count after the last VACUUM. Somebody's snapshot holds them, or sessions told
            of them after it had removed them; another one may be in vain.
        patient_until_s: Until when that counts, on the monotonic clock.
        not_before_s: When the next may be asked for at all.
        ended: Whether one has ended since the last look.
    """

    left: int = 0
    patient_until_s: float = 0.0
    not_before_s: float = 0.0
    ended: bool = False


class Vacuums:
    """Says which relation is due, and does it for the worker that takes it. Thread-safe.

    Args:
        board: Where one is asked for.
        share: From which share of dead rows on; ``None``: never.
    """

    def __init__(self, board: Board, share: float | None) -> None:
        self._board = board
        self._share = share
        self._lock = threading.Lock()
        self._past: dict[int, Past] = {}
        self._running: set[psycopg.Connection] = set()
        self._idle = threading.Event()
        self._idle.set()

    def look(self, scope: Scope) -> None:
        """Ask for one where it is due; a chore of the sampler. One that somebody waits on is broken off."""
        with self._lock:
            if self._running:
                if scope.ask("give_way"):
                    self._board.note(
                        "vacuum gave way", "a VACUUM of the backfill gave way to a session that waited on it"
                    )
                return
            role = scope.connection.info.user
            due = [row["relation"] for row in scope.ask("dead") if self._due(row, role)]
            self._board.want_vacuum(due[0] if due else None)

    def _due(self, row: dict[str, Any], role: str) -> bool:
        past = self._past.setdefault(row["relation"], Past())
        if past.ended:
            past.left, past.ended = row["dead"], False
        past.left = min(past.left, row["dead"]) if monotonic() < past.patient_until_s else 0
        new = row["dead"] - past.left
        share = self._share if self._share is not None else 1.0
        if new < LEAST_ROWS or new <= share * (row["dead"] + row["live"]):
            return False
        if not row["allowed"]:
            text = (
                f"{row['name']} belongs to {row['owner']}, and role {role} may not vacuum it; autovacuum alone clears"
                f" its dead rows away. To let the backfill do it: GRANT {row['owner']} TO {role}"
            )
            self._board.note(f"vacuum {row['relation']}", text)
            return False
        return not row["in_vacuum"] and monotonic() >= past.not_before_s

    def run(self, connection: psycopg.Connection, relation: int, name: sql.Identifier) -> None:
        """VACUUM one relation. Takes SHARE UPDATE EXCLUSIVE, or does nothing where that is somebody else's.

        May run any number of times. https://www.postgresql.org/docs/current/sql-vacuum.html

        Args:
            connection: In autocommit mode, in no transaction.
            relation: Its object identifier, as taken from the board.
            name: What it is called.
        """
        skipped: list[str | None] = []

        def listen(diagnostic: Diagnostic) -> None:
            skipped.append(diagnostic.sqlstate)

        with self._lock:
            if self._board.stopped:
                return
            self._running.add(connection)
            self._idle.clear()
        connection.add_notice_handler(listen)
        gave_way, began_s = False, monotonic()
        try:
            connection.execute("SELECT set_config('statement_timeout', '0', false)")
            if connection.info.server_version >= FLUSHES:
                # what this session has not told yet of its own dead rows would be counted after they are gone
                connection.execute("SELECT pg_stat_force_next_flush()")
            connection.execute(self._statement(connection).format(name))
        except (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable):
            gave_way = True
        finally:
            connection.remove_notice_handler(listen)
            with self._lock:
                self._running.remove(connection)
                if not self._running:
                    self._idle.set()
                past = self._past.setdefault(relation, Past())
                past.ended = not gave_way and NOT_AVAILABLE not in skipped
                now_s = monotonic()
                past.not_before_s = 0.0 if past.ended else now_s + AGAIN_S
                past.patient_until_s = now_s + max(AGAIN_S, AGAIN_TIMES * (now_s - began_s))

    def _statement(self, connection: psycopg.Connection) -> sql.SQL:
        """The VACUUM, and with it the session's pace; what was set for role or database counts in any case."""
        connection.execute("RESET vacuum_cost_delay")
        if not self._board.company:
            return STATEMENT
        connection.execute(REST)
        return GENTLE

    def stop(self) -> None:
        """Break off what runs, once the board has said stop; returns when nothing does."""
        while not self._idle.is_set():
            with self._lock:
                running = tuple(self._running)
            for connection in running:
                with contextlib.suppress(psycopg.Error):
                    connection.cancel_safe(timeout=CANCELS_WITHIN_S)
            self._idle.wait(CANCELS_AGAIN_S)  # one that had not begun yet did not notice


DESPITE = Signal.DEAD_SHARE
"""The one breach that a VACUUM mends, and so does not wait for."""
