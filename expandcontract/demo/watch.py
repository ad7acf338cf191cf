"""Looks at the database from aside: phases, weights, rows filled, and how long the application waits for locks."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import psycopg

PAUSE = 0.05  # seconds
WAITING = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0)
FROM pg_stat_activity WHERE usename IN ('app_blue', 'app_green') AND wait_event_type = 'Lock'"""
STATE = """
SELECT c.phase, c.move, (SELECT coalesce(sum(rows_filled), 0) FROM expandcontract.segment), t.blue, t.green
FROM expandcontract.change AS c FULL JOIN expandcontract.traffic AS t ON true LIMIT 1"""


@dataclass
class Watch:
    """What was seen last, and the longest wait for a lock so far in seconds."""

    dsn: str
    longest_wait: float = 0.0
    phase: str = "planned"
    move: str | None = None
    rows: int = 0
    blue: int = 100
    green: int = 0
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=10)

    def _run(self) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            turns = 0
            while not self._ending.wait(PAUSE):
                row = connection.execute(WAITING).fetchone()
                self.longest_wait = max(self.longest_wait, float(row[0]) if row else 0.0)
                turns += 1
                if turns % 5 == 0:
                    self._state(connection)

    def _state(self, connection: psycopg.Connection) -> None:
        row = connection.execute(STATE).fetchone()
        if row is not None:
            self.phase, self.move = row[0] or "planned", row[1]
            self.rows = int(row[2])
            self.blue, self.green = (row[3], row[4]) if row[3] is not None else (100, 0)
