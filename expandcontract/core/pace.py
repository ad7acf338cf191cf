"""How the backfill goes through a table: pure decisions from a position to the next batch.

A segment is done window by window. A window is passed over once a *stripe*, each pass taking the rows of one hash
class, so that pruning makes room on a page before it is visited again. A pass is cut into batches; a batch is one
transaction. The shorter a batch, the sooner the rows that it made old can be pruned, by itself and by other workers.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

REMEMBERED = 8
"""How many of the last batches the next one is sized by."""
GROWTH = 2.0
"""The most that a batch grows at a time."""
LEAST_STRIPES = 4
TAIL = 2
"""How many segments of its size the rest must have, or the next one is smaller: workers shall end together."""
LEAST_SEGMENT = 750


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is done at a time.

    Attributes:
        window_pages: Heap pages that are passed over again and again before the next ones; fits in shared buffers.
        stripes: How many passes, each taking one hash class of the rows; a power of two.
        batch_pages: Pages of a pass that make one batch.
        target: How long a batch should take.
        statement: How long one statement of a batch should take; ``None``: a batch is one statement.
        piece_pages: Pages of a batch that make one statement; ``None``: all of them.
    """

    window_pages: int = 3000
    stripes: int = 16
    batch_pages: int = 750
    target: timedelta = timedelta(milliseconds=100)
    statement: timedelta | None = None
    piece_pages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """Where the passes over a window stand: those before ``stripe`` are done, and this one up to ``page``."""

    end_page: int
    stripes: int
    stripe: int
    page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a segment stands: everything before ``page`` is done; ``passing`` is the window that begins there."""

    page: int
    end_page: int
    passing: Pass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One statement's share: pages ``first_page`` to before ``end_page``, rows of hash class ``stripe``."""

    first_page: int
    end_page: int
    stripe: int
    stripes: int

    @property
    def pages(self) -> int:
        """How many pages are visited."""
        return self.end_page - self.first_page


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What a batch took.

    Attributes:
        pages: How many were visited.
        seconds: All of it.
        overhead: The part in which no row was filled, in seconds: other statements, ways to the server, the commit.
        trip: One way to the server and back, in seconds.
    """

    pages: int
    seconds: float
    overhead: float = 0.0
    trip: float = 0.0

    @property
    def work(self) -> float:
        """The part in which rows were filled, in seconds."""
        return max(self.seconds - self.overhead, 0.0)


def cut(first: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut heap pages into segments, the last ones smaller and smaller, so that no worker is left alone for long.

    Args:
        first: The first page.
        end: The page after the last one.
        size: Of the largest segment.

    Yields:
        The first page of a segment, and the page after its last one.
    """
    while first < end:
        pages = min(size, max(LEAST_SEGMENT, -(-(end - first) // TAIL)), end - first)
        yield first, first + pages
        first += pages


def opened(at: Position, pace: Pace) -> Position:
    """The position with a window under way; the same where one is, or where the segment is done."""
    if at.passing is not None or at.page >= at.end_page:
        return at
    end = min(at.page + pace.window_pages, at.end_page)
    return replace(at, passing=Pass(end_page=end, stripes=pace.stripes, stripe=0, page=at.page))


def next_batch(at: Position, pace: Pace) -> Batch | None:
    """The batch that comes at an opened position, or ``None`` where the segment is done."""
    if at.passing is None:
        return None
    first, last = at.passing.page, at.passing.end_page
    # a pass is cut into equal parts, so that none is a mere rest
    parts = -(-(last - first) // max(pace.batch_pages, 1))
    end = first + -(-(last - first) // parts)
    return Batch(first_page=first, end_page=end, stripe=at.passing.stripe, stripes=at.passing.stripes)


def after(at: Position, batch: Batch) -> Position:
    """The position once ``batch`` is committed."""
    passing = at.passing
    if passing is None:
        return at
    if batch.end_page < passing.end_page:
        return replace(at, passing=replace(passing, page=batch.end_page))
    if passing.stripe + 1 < passing.stripes:
        return replace(at, passing=replace(passing, stripe=passing.stripe + 1, page=at.page))
    return Position(page=passing.end_page, end_page=at.end_page)


def share(at: Position) -> float:
    """Pages done so far, the window's passes counted as parts of it."""
    if at.passing is None:
        return float(at.page)
    window = at.passing.end_page - at.page
    passed = at.passing.stripe + (at.passing.page - at.page) / window
    return at.page + window * passed / at.passing.stripes


def pieces(batch: Batch, pages: int | None) -> Iterator[Batch]:
    """A batch as the statements that do it, each of so many pages; ``None``: one."""
    size = batch.pages if pages is None else pages
    for first in range(batch.first_page, batch.end_page, size):
        yield replace(batch, first_page=first, end_page=min(first + size, batch.end_page))


def gentle(pace: Pace, target: timedelta, statement: timedelta) -> Pace:
    """The pace beside others who are at work: batches no longer than ``target``, in statements of ``statement``.

    A server process that computes on and on takes whole time slices from those who wait for a processor. One that
    pauses after a millisecond, if only for its next statement, lets them in.
    """
    return replace(pace, target=min(pace.target, target), statement=statement)


def steer(pace: Pace, last: Sequence[Took], *, most_pages: int) -> Pace:
    """The pace that comes after these batches.

    A batch is sized to take :attr:`Pace.target`, by the median of what a page took; it grows at most twofold at a time
    and shrinks at once. A window that even one batch a pass goes through in less than half the target grows too.
    However far the server is, half of a batch's time is work, and two thirds of a statement's.

    Args:
        pace: The pace so far.
        last: What the last batches took, oldest first; with none nothing changes.
        most_pages: The largest window that is allowed.
    """
    if not last:
        return pace
    of_late = list(last)[-REMEMBERED:]
    page_s = median(took.work / took.pages for took in of_late)
    overhead = median(took.overhead for took in of_late)
    latest = of_late[-1]
    target_s = max(pace.target.total_seconds() - overhead, overhead)
    if latest.work > 2 * target_s:  # an outlier is heeded at once, and the median tells later whether it was one
        page_s = max(page_s, latest.work / latest.pages)
    wished = target_s / page_s if page_s > 0 else float(most_pages)
    window = pace.window_pages
    if wished > GROWTH * window:
        window = min(int(window * GROWTH), max(most_pages, window))
    batch = max(1, min(int(wished), int(pace.batch_pages * GROWTH), window))
    return replace(pace, window_pages=window, batch_pages=batch, piece_pages=_piece(pace, of_late, page_s, batch))


def _piece(pace: Pace, of_late: Sequence[Took], page_s: float, batch: int) -> int | None:
    if pace.statement is None:
        return None
    longest = max(pace.statement.total_seconds(), 2 * median(took.trip for took in of_late))
    return max(1, min(int(longest / page_s), batch)) if page_s > 0 else batch


def halved(pace: Pace) -> Pace:
    """The pace after a batch that had to be broken off."""
    return replace(pace, batch_pages=max(1, pace.batch_pages // 2))


def stripes_for(rows_a_page: float, most: int) -> int:
    """How many passes: enough that each takes a few rows of a page, no more than ``most``; a power of two."""
    stripes = most
    while stripes > LEAST_STRIPES and rows_a_page < stripes:
        stripes //= 2
    return stripes


def eta(done: float, total: float, elapsed: timedelta) -> timedelta | None:
    """How long the rest takes at the pace so far; ``None`` before there is one."""
    if done <= 0 or elapsed <= timedelta():
        return None
    return elapsed * max(total - done, 0) / done
