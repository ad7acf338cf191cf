"""The samplers of one process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.backfill.throttle.company import Company
from expandcontract.backfill.throttle.gauges.table import groups
from expandcontract.backfill.throttle.sampler import Sampler
from expandcontract.backfill.throttle.vacuums import Vacuums

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.backfill.board import Board
    from expandcontract.backfill.job import Job
    from expandcontract.backfill.throttle.gauge import Scope


class Watch:
    """Starts what the limits ask for, and ends it. With no limits and no company there is nothing to start.

    Args:
        todo: What is filled or compared.
        board: Of this process.
        command: Whose sessions nobody may wait for: ``backfill`` or ``verify``.
        company: Whether it matters that others are at work.
    """

    def __init__(self, todo: Job, board: Board, *, command: str = "backfill", company: bool = True) -> None:
        limits = todo.how.limits
        server, *user = groups(limits)
        self.vacuums = Vacuums(board, limits.vacuum_share)
        chores: list[Callable[[Scope], None]] = []
        if limits.vacuum_share is not None:
            chores.append(self.vacuums.look)
        if company:
            chores.append(Company(board).look)
        watched = [(server, chores)] if server or chores else []
        watched += [(own, []) for own in user]
        self._samplers = [
            Sampler(todo.url, todo.change, todo.relations, limits, board, gauges, also, command=command)
            for gauges, also in watched
        ]

    def begin(self) -> None:
        """Start to look; returns once every sampler has looked, so that nothing is filled into a breach."""
        for sampler in self._samplers:
            sampler.start()
        for sampler in self._samplers:
            sampler.wait()

    def stop(self) -> None:
        """Break off a VACUUM, so that nobody waits for its end; the board has said stop."""
        self.vacuums.stop()

    def end(self) -> None:
        """Wait for every sampler; the board has said stop."""
        for sampler in self._samplers:
            sampler.join()
