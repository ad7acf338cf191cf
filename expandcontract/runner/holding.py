"""What is told of a backfill or a comparison beside its progress: what cannot be read, and why it waits."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from expandcontract.runner.events import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.fill import Progress
    from expandcontract.backfill.parity import ParityProgress

TOLD_AFTER_S = 1.0
"""A shorter wait is counted in the ledger and not told: there may be many."""


class Holding:
    """Remembers what has been told, through all tables of a change."""

    def __init__(self) -> None:
        self._notes: set[str] = set()
        self._since_s: float | None = None
        self._told: tuple[str, ...] = ()

    def events(self, at: Progress | ParityProgress) -> Iterator[Event]:
        """What is new."""
        for text in at.notes:
            if text not in self._notes:
                self._notes.add(text)
                yield Event(kind="note", text=text, change=at.change)
        if at.waiting:
            self._since_s = monotonic() if self._since_s is None else self._since_s
            if at.sources != self._told and monotonic() - self._since_s >= TOLD_AFTER_S:
                self._told = at.sources
                data: dict[str, object] = {"sources": list(at.sources), "waiting": list(at.waiting)}
                yield Event(kind="waiting", text=f"waiting: {'; '.join(at.waiting)}", change=at.change, data=data)
        elif self._since_s is not None:
            waited, self._since_s = monotonic() - self._since_s, None
            if self._told:
                yield Event(kind="step", text=f"going on after {waited:.1f} s", change=at.change)
            self._told = ()
