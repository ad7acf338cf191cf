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
        self.allowed: int | None = None
        self.target: timedelta | None = None

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
