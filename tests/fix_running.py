"""A backfill that runs in a thread of the test, watched and steered while it does."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from expandcontract.backfill.fill import Progress, fill
from expandcontract.backfill.job import How
from expandcontract.backfill.throttle.limits import Limits
from expandcontract.core.pace import Pace
from expandcontract.pg.connect import parse
from tests.acceptance.test_together import wait_until
from tests.fix_filling import CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from expandcontract.core.shape import Work
    from expandcontract.core.throttle import Signal

SMALL = Pace(window_pages=8, stripes=4, batch_pages=2, target=timedelta(milliseconds=1))
HALVES = Pace(window_pages=10_000, stripes=2, batch_pages=10_000, target=timedelta(seconds=60))


class Running:
    """One process's share of a backfill.

    Attributes:
        last: The latest progress.
        seen: Every source that ever made it wait, with its first text.
        error: What ended it, if anything did.
    """

    def __init__(self, database: str, work: Work, how: How) -> None:
        self.last: Progress | None = None
        self.seen: dict[str, str] = {}
        self.error: BaseException | None = None
        self._events = fill(parse(database), CHANGE, work, how, epoch=0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            for at in self._events:
                self.last = at
                for source, why in zip(at.sources, at.waiting, strict=False):
                    self.seen.setdefault(source, why)
                if self._stop.is_set():
                    break
            self._events.close()  # type: ignore[attr-defined]
        except BaseException as exc:  # noqa: BLE001 - the test looks at it
            self.error = exc

    @property
    def waits_for(self) -> frozenset[str]:
        """What makes everybody wait now."""
        return frozenset(self.last.sources) if self.last else frozenset()

    @property
    def rows(self) -> int:
        """Filled so far."""
        return self.last.rows_filled if self.last else 0

    def until(self, condition: Callable[[Running], object]) -> None:
        """Wait until it holds; an error of the backfill ends that."""
        wait_until(lambda: self.error is not None or condition(self))
        if self.error is not None:
            raise self.error

    def stop(self) -> None:
        """Let it end after its batch."""
        self._stop.set()
        self._thread.join()

    def finish(self) -> Progress:
        """Wait for its end.

        Raises:
            BaseException: What ended it before.
        """
        self._thread.join()
        if self.error is not None:
            raise self.error
        assert self.last is not None
        return self.last


@contextmanager
def running(
    database: str, limits: Limits | None = None, *, pace: Pace = SMALL, workers: int = 1, work: Work = WORK
) -> Iterator[Running]:
    """A backfill under way; ended at the end of the block, whatever happened in it."""
    how = How(
        pace=pace,
        most_pages=pace.window_pages,
        workers=workers,
        limits=limits or Limits(),
        ceiling=timedelta(seconds=60),
    )
    started = Running(database, work, how)
    try:
        yield started
    finally:
        started.stop()


def limited(signal: Signal, limit: float, **given: object) -> Limits:
    """One limit that somebody set."""
    return Limits(of={signal: limit}, explicit=frozenset({signal}), **given)  # type: ignore[arg-type]
