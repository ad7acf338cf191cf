"""What the workers of one process and the one that watches over them tell each other. Every method is thread-safe."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """How one worker is doing.

    Attributes:
        worker: Its name.
        rows: Rows filled in this run.
        batches: Batches committed in this run.
        batch_s: What the last batch took, in seconds.
        batch_pages: Pages of the last batch.
        doing: What it is about; empty where it fills.
    """

    worker: str
    rows: int = 0
    batches: int = 0
    batch_s: float = 0.0
    batch_pages: int = 0
    doing: str = ""


class Board:
    """Shared by the workers of a process: when to stop, why to wait, how fast to go, and how each is doing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._lanes: dict[str, Lane] = {}
        self._reasons: dict[str, str] = {}
        self._error: BaseException | None = None
        self._slower: dict[str, float] = {}
        self._notes: dict[str, str] = {}
        self._due: int | None = None
        self.allowed: int | None = None
        self.target: timedelta | None = None
        self.company = False
        """Whether others are at work on the server."""

    @property
    def stopped(self) -> bool:
        """Whether every worker is to end after its batch."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Let every worker end after its batch."""
        self._stop.set()

    def rest(self, seconds: float) -> None:
        """Wait, but no longer than until the end."""
        self._stop.wait(seconds)

    def fail(self, error: BaseException) -> None:
        """Keep the first error, and let every worker end."""
        with self._lock:
            self._error = self._error or error
        self._stop.set()

    @property
    def error(self) -> BaseException | None:
        """The first error of a worker."""
        return self._error

    def hold_back(self, source: str, why: str | None) -> None:
        """Let everybody wait because of ``why``, or no longer because of ``source``."""
        with self._lock:
            if why is None:
                self._reasons.pop(source, None)
            else:
                self._reasons[source] = why

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why everybody waits; empty where nobody does."""
        with self._lock:
            return tuple(self._reasons.values())

    @property
    def sources(self) -> tuple[str, ...]:
        """What makes everybody wait, by name; as long as :attr:`reasons`."""
        with self._lock:
            return tuple(self._reasons)

    def slow_down(self, source: str, batch_times: float) -> None:
        """Let everybody rest that many times what a batch took, after each; 0: ``source`` no longer asks for it."""
        with self._lock:
            self._slower[source] = batch_times

    @property
    def rest_batches(self) -> float:
        """How many times what a batch took everybody rests after it; the slowest source counts."""
        with self._lock:
            return max(self._slower.values(), default=0.0)

    def note(self, source: str, text: str) -> None:
        """Say something once; a later text of the same source is not heard."""
        with self._lock:
            self._notes.setdefault(source, text)

    @property
    def notes(self) -> tuple[str, ...]:
        """Everything that was to be said once, in order."""
        with self._lock:
            return tuple(self._notes.values())

    def want_vacuum(self, relation: int | None) -> None:
        """Ask one worker to vacuum this relation between two windows; ``None``: no longer."""
        with self._lock:
            self._due = relation

    def may_vacuum(self, despite: str) -> bool:
        """Whether a relation waits to be vacuumed, and nothing but ``despite`` holds anybody back."""
        with self._lock:
            return self._due is not None and not (self._reasons.keys() - {despite})

    def take_vacuum(self) -> int | None:
        """The relation that is to be vacuumed, for the one that asks first."""
        with self._lock:
            due, self._due = self._due, None
            return due

    def tell(self, worker: str, *, rows: int, seconds: float, pages: int) -> None:
        """A batch was committed."""
        with self._lock:
            lane = self._lanes.get(worker, Lane(worker=worker))
            self._lanes[worker] = replace(
                lane,
                rows=lane.rows + rows,
                batches=lane.batches + 1,
                batch_s=seconds,
                batch_pages=pages,
                doing="",
            )

    def show(self, worker: str, doing: str) -> None:
        """What a worker is about instead of filling."""
        with self._lock:
            self._lanes[worker] = replace(self._lanes.get(worker, Lane(worker=worker)), doing=doing)

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Every worker that was heard of, by name."""
        with self._lock:
            return tuple(self._lanes[name] for name in sorted(self._lanes))
