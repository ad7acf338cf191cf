"""A process's share of a backfill: its workers, and the one that watches over them and tells how far it is."""

from __future__ import annotations

import os
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.backfill import canary, slices
from expandcontract.backfill.batch import batch
from expandcontract.backfill.board import Board, Lane
from expandcontract.backfill.job import How, Job, job
from expandcontract.backfill.meter import Figures, Meter
from expandcontract.backfill.throttle.watch import Watch
from expandcontract.backfill.worker import Worker
from expandcontract.core.pace import Position, next_batch, opened
from expandcontract.ledger.segments import Segments, Totals
from expandcontract.pg.catalog import leaves
from expandcontract.pg.connect import connect, hot

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import timedelta

    from sqlalchemy import URL

    from expandcontract.core.shape import Work

LOOK_S = 0.1
"""How often control and progress are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a backfill is.

    Attributes:
        change: The change.
        pages_done: Heap pages done; a window's passes count as parts of it.
        pages_total: Heap pages in all.
        rows_filled: Rows filled so far, earlier runs and other processes included.
        rows_per_s: Rows a second of late, by all processes.
        eta: How long the rest takes; ``None`` before that can be told.
        waiting: Why nobody fills at the moment; empty where somebody may.
        sources: What makes everybody wait, by name; as long as ``waiting``.
        notes: What is to be said once, all of it so far.
        gentle: Whether batches are short because others are at work on the server.
        lanes: How each worker of this process is doing.
        hot_share: Which share of the table's updates in this run was HOT; ``None`` before there were any.
        heap_bytes: Size of the heap.
        heap_growth: How many times what it was when the backfill began.
    """

    change: str
    pages_done: float
    pages_total: int
    rows_filled: int
    rows_per_s: float
    eta: timedelta | None
    waiting: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    gentle: bool = False
    lanes: tuple[Lane, ...] = ()
    hot_share: float | None = None
    heap_bytes: int = 0
    heap_growth: float = 1.0


def fill(url: URL, change: str, work: Work, how: How, *, epoch: int) -> Iterator[Progress]:
    """Fill every row that has no new shape yet; goes on where an earlier run stopped.

    Takes ROW EXCLUSIVE on the table and locks the rows of a batch at a time. May run any number of times, and beside
    the workers of other processes.

    Args:
        url: The target database.
        change: The change.
        work: Its mapping or fill.
        how: How much at a time, by how many.
        epoch: Of the mover; each batch is fenced by it.

    Yields:
        Progress, some ten times a second.

    Raises:
        BackfillError: A statement failed; the cursor stands at the last committed batch.
        FencedError: Another mover has begun since.
    """
    todo = cut(url, change, (work,), how, epoch=epoch)[0]
    with hot(url, command=f"backfill {change}") as connection:
        yield from join(Segments(connection, change), todo, epoch)


def cut(url: URL, change: str, works: Sequence[Work], how: How, *, epoch: int) -> list[Job]:
    """Cut the tables of ``works`` into segments, all in one transaction; those of an earlier run stay.

    What is no heap table is cut into slices first, which stand for its pages.

    Raises:
        BackfillError: A relation is no heap table, and cannot be cut by a key.
        FencedError: Another mover has begun since.
    """
    _slice(url, change, works, how, epoch)
    todo = [job(url, change, work, how) for work in works]

    def cover() -> None:
        segments.fence(epoch)
        segments.begin()
        for item in todo:
            for leaf in item.leaves.values():
                segments.cover(leaf.oid, leaf.filenode, leaf.pages, size=item.segment_pages)

    with hot(url, command=f"backfill {change}") as connection:
        segments = Segments(connection, change)
        batch(connection, segments, cover)
    return todo


def _slice(url: URL, change: str, works: Sequence[Work], how: How, epoch: int) -> None:
    with connect(url, command=f"backfill {change}") as catalogue:
        held = [(work, leaves(catalogue, work.table)) for work in works]
    if all(leaf.is_heap for _, found in held for leaf in found):
        return
    with hot(url, command=f"backfill {change}") as connection, connection.transaction():
        Segments(connection, change).fence(epoch)
        for work, found in held:
            slices.make(connection, change, work, found, how.keys)


def join(segments: Segments, todo: Job, epoch: int) -> Iterator[Progress]:
    """Work on segments that are there already, until none is left.

    Args:
        segments: Of the change, on a connection of its own.
        todo: The table.
        epoch: Of the mover.

    Yields:
        Progress, some ten times a second.

    Raises:
        BackfillError: A statement failed.
        PlanError: A batch would go through a whole table.
        FencedError: Another mover has begun since.
    """
    crew = Crew(todo, epoch)
    if segments.totals(todo.relations).open:
        with hot(todo.url, command=f"backfill {todo.change}") as connection:
            canary.prove(connection, todo.change, _first(todo), crew.board)
    try:
        crew.begin(heed(segments, todo.change, crew.board))
        yield from _watch(segments, todo, crew)
    finally:
        crew.end()
    if crew.board.error is not None:
        raise crew.board.error


def _first(todo: Job) -> list[canary.First]:
    """The first batch of each relation, as a worker would begin it."""
    found = []
    for oid, leaf in todo.leaves.items():
        pace = todo.pace(oid)
        first = next_batch(opened(Position(page=0, end_page=leaf.pages), pace), pace)
        if first is not None:
            values = {"first": 0, "end": first.end_page, "stripe": first.stripe, "stripes": first.stripes}
            found.append(canary.First(leaf=leaf, query=todo.statement(oid), values=values, pages=first.pages))
    return found


class Crew:
    """The workers of one process; as many threads as are wanted, each with a connection."""

    def __init__(self, todo: Job, epoch: int) -> None:
        self.board = Board()
        self._todo = todo
        self._epoch = epoch
        self._threads: list[threading.Thread] = []
        self._name = f"{socket.gethostname()}:{os.getpid()}"
        self._watch = Watch(todo, self.board)

    def begin(self, workers: int | None) -> None:
        """Look at what may hold everybody back, then let so many workers begin."""
        self._watch.begin()
        self.want(workers)

    def want(self, workers: int | None) -> None:
        """Let so many work; those beyond wait, those that lack are started. ``None``: as many as were configured."""
        wanted = self._todo.how.workers if workers is None else workers
        self.board.allowed = wanted
        for number in range(len(self._threads), wanted):
            name = f"{self._name}:{number}"
            vacuums = self._watch.vacuums
            worker = Worker(self._todo, self.board, vacuums, name=name, number=number, epoch=self._epoch)
            thread = threading.Thread(target=worker.run, name=f"backfill {number}")
            self._threads.append(thread)
            thread.start()

    @property
    def busy(self) -> bool:
        """Whether a worker has not ended."""
        return any(thread.is_alive() for thread in self._threads)

    def end(self) -> None:
        """Let every worker end after its batch, or its VACUUM broken off, and wait for that."""
        self.board.stop()
        self._watch.stop()
        for thread in self._threads:
            thread.join()
        self._watch.end()


def _watch(segments: Segments, todo: Job, crew: Crew) -> Iterator[Progress]:
    meter = Meter(segments, todo)
    now = segments.totals(todo.relations)
    while True:
        yield _progress(todo, crew.board, now, meter.look(now, crew.board.reasons))
        if not now.open:
            return
        crew.board.rest(LOOK_S)
        if crew.board.stopped:
            return
        crew.want(heed(segments, todo.change, crew.board))
        now = segments.totals(todo.relations)


def heed(segments: Segments, change: str, board: Board) -> int | None:
    """Heed what was asked of the backfill; how many workers, or ``None`` where nobody said."""
    asked = segments.control()
    paused = None if asked.paused is None else f"paused {asked.paused}; ec backfill {change} resume"
    board.hold_back("control", paused)
    board.target = asked.target
    return asked.workers


def _progress(todo: Job, board: Board, now: Totals, found: Figures) -> Progress:
    return Progress(
        change=todo.change,
        pages_done=now.done,
        pages_total=now.pages,
        rows_filled=now.rows,
        rows_per_s=found.rate,
        eta=found.eta,
        waiting=board.reasons,
        sources=board.sources,
        notes=board.notes,
        gentle=board.company and todo.function is None,
        lanes=board.lanes,
        hot_share=found.hot_share,
        heap_bytes=found.heap_bytes,
        heap_growth=found.heap_growth,
    )
