"""Page ranges of a comparison, and the threads that go through them, each on a connection of its own."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING

import psycopg

from expandcontract.backfill.worker import AGAIN_S, LONGEST_REST_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from expandcontract.backfill.board import Board
    from expandcontract.pg.catalog import Leaf

MOST_PAGES = 5000
LEAST_PAGES = 250
EACH = 4
"""Into how many ranges a worker's share of a small table is cut, so that all end at about the same time."""
BEYOND = 2**32 - 2
"""Past the last page that a relation can have."""
CANCELS_WITHIN_S, CANCELS_AGAIN_S = 2.0, 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Pages of one relation, looked at by one statement.

    Attributes:
        number: Its place among all of a pass.
        leaf: The relation.
        first: Its first page.
        end: The page after its last one; the last range of a relation is open at its end.
        pages: How many there were when the pass began.
    """

    number: int
    leaf: Leaf
    first: int
    end: int
    pages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found in a range.

    Attributes:
        range: Which.
        differing: Rows that differ.
        rows: The first 20 of them, by name.
        repaired: Rows that were repaired.
    """

    range: Range
    differing: int
    rows: tuple[str, ...] = ()
    repaired: int = 0


def cut(leaves: Sequence[Leaf], workers: int) -> list[Range]:
    """Every page of every relation, in order; rows written meanwhile lie beyond and belong to the last range of each.

    Args:
        leaves: The relations.
        workers: How many share the work; a small table is cut finer, so that each has some.
    """
    total = sum(leaf.pages for leaf in leaves)
    size = max(LEAST_PAGES, min(MOST_PAGES, -(-total // (workers * EACH))))
    ranges: list[Range] = []
    for leaf in leaves:
        for first in range(0, leaf.pages + 1, size):
            last = first + size > leaf.pages
            end = BEYOND if last else first + size
            pages = leaf.pages - first if last else size
            ranges.append(Range(number=len(ranges), leaf=leaf, first=first, end=end, pages=pages))
    return ranges


class Readers:
    """Threads that look at ranges until none is left, or the board says stop.

    Args:
        ranges: What is to be looked at, in order.
        workers: How many at a time, unless the board allows fewer.
        connect: Makes a connection in autocommit mode.
        looking: Gives for each connection what looks at one range.
        board: Why to wait, and when to stop.
    """

    def __init__(
        self,
        ranges: Sequence[Range],
        workers: int,
        connect: Callable[[], psycopg.Connection],
        looking: Callable[[psycopg.Connection], Callable[[Range], Found]],
        board: Board,
    ) -> None:
        self._ahead = deque(ranges)
        self._left = len(ranges)
        self._connect = connect
        self._looking = looking
        self._board = board
        self._found: SimpleQueue[Found] = SimpleQueue()
        self._lock = threading.Lock()
        self._busy: set[psycopg.Connection] = set()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"verify {number}")
            for number in range(min(workers, len(ranges)))
        ]

    def found(self, every_s: float) -> Iterator[Found | None]:
        """What is found, as it comes; ``None`` where nothing was for a while. Ends early once the board says stop."""
        for thread in self._threads:
            thread.start()
        while self._left and not self._board.stopped:
            try:
                found = self._found.get(timeout=every_s)
            except Empty:
                yield None
                continue
            self._left -= 1
            yield found

    def end(self) -> None:
        """Wait for every thread; a statement under way is broken off where the board says stop."""
        for thread in self._threads:
            while thread.is_alive():
                if self._board.stopped:
                    self._cancel()
                thread.join(CANCELS_AGAIN_S)

    def _cancel(self) -> None:
        with self._lock:
            busy = tuple(self._busy)
        for connection in busy:
            with contextlib.suppress(psycopg.Error):
                connection.cancel_safe(timeout=CANCELS_WITHIN_S)

    def _run(self, number: int) -> None:
        try:
            with self._connect() as connection:
                look = self._looking(connection)
                while not self._board.stopped and self._ahead:
                    self._next(number, connection, look)
        except Exception as exc:  # noqa: BLE001 - a thread's error is raised by the one that asked for it
            if not self._board.stopped:
                self._board.fail(exc)

    def _next(self, number: int, connection: psycopg.Connection, look: Callable[[Range], Found]) -> None:
        allowed = self._board.allowed
        if self._board.reasons or (allowed is not None and number >= allowed):
            self._board.rest(AGAIN_S)
            return
        try:
            item = self._ahead.popleft()
        except IndexError:
            return
        began = monotonic()
        with self._lock:
            self._busy.add(connection)
        try:
            self._found.put(look(item))
        finally:
            with self._lock:
                self._busy.remove(connection)
        self._board.rest(min((monotonic() - began) * self._board.rest_batches, LONGEST_REST_S))
