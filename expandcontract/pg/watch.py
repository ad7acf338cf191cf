"""Looks over an attempt's shoulder: which lock it waits for, and who has it.

What is learned here is looked at first the next time.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import psycopg

from expandcontract.pg.blockers import waits_for

if TYPE_CHECKING:
    from typing import Self

    from expandcontract.core.blocker import Blocker
    from expandcontract.core.conflict import Claim
    from expandcontract.pg.attempt import Attempt

FIRST_S, LONGEST_S, GROWTH = 0.02, 1.0, 1.3


class Watch:
    """A thread that asks, while an attempt runs, what its backend waits for.

    Args:
        connection: Another one than the attempt's; nobody else uses it meanwhile.
        attempt: Tells its backend's process id once it has one.
    """

    def __init__(self, connection: psycopg.Connection, attempt: Attempt) -> None:
        self.claims: set[Claim] = set()
        self.blockers: tuple[Blocker, ...] = ()
        self.waited = False
        self._connection, self._attempt = connection, attempt
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ec watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        pause = FIRST_S
        while not self._over.wait(pause):
            pause = min(pause * GROWTH, LONGEST_S)
            if self._attempt.pid is None:
                continue
            try:
                claims, blockers = waits_for(self._connection, self._attempt.pid)
            except psycopg.Error:
                return  # what it would have said is a help, not a need
            self.claims |= set(claims)
            self.waited = self.waited or bool(claims or blockers)
            self.blockers = blockers or self.blockers
