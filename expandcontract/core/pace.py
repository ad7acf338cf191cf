"""How the backfill goes through a table: pure decisions from a position to the next batch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is done at a time.

    Attributes:
        window_pages: Heap pages that are visited again and again before the next ones; fits in shared buffers.
        stripes: How many visits, each taking one hash class of the rows; a power of two.
    """

    window_pages: int = 1500
    stripes: int = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a segment stands: everything before the page is done, and in the page's window every earlier stripe."""

    page: int
    stripe: int
    end_page: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One statement's share: pages ``first_page`` to before ``end_page``, rows of hash class ``stripe``."""

    first_page: int
    end_page: int
    stripe: int


def next_batch(at: Position, pace: Pace) -> Batch | None:
    """The batch that comes at this position, or ``None`` where the segment is done."""
    if at.page >= at.end_page:
        return None
    return Batch(first_page=at.page, end_page=min(at.page + pace.window_pages, at.end_page), stripe=at.stripe)


def after(at: Position, batch: Batch, pace: Pace) -> Position:
    """The position once ``batch`` is committed."""
    if batch.stripe + 1 < pace.stripes:
        return Position(page=at.page, stripe=batch.stripe + 1, end_page=at.end_page)
    return Position(page=batch.end_page, stripe=0, end_page=at.end_page)


def share(at: Position, pace: Pace) -> float:
    """Pages done so far, the window's stripes counted as parts of it."""
    window = min(pace.window_pages, max(at.end_page - at.page, 0))
    return at.page + window * at.stripe / pace.stripes


def eta(done: float, total: float, elapsed: timedelta) -> timedelta | None:
    """How long the rest takes at the pace so far; ``None`` before there is one."""
    if done <= 0 or elapsed <= timedelta():
        return None
    return elapsed * max(total - done, 0) / done
