"""Proves that the two shapes agree on every row, and repairs where the old one is the authority.

A count of zero is necessary, not sufficient: it cannot see a write that was lost in both shapes. That none is, is the
work of the triggers and of the form of the statements.

A row that differs is not looked at again under a lock: a range is counted and its rows are named in one snapshot, and
the triggers write both shapes in the application's own transaction, so that a difference that is seen was committed.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING

from expandcontract.backfill import canary, statement
from expandcontract.backfill.board import Board
from expandcontract.backfill.comparison import ALL, NAMED, Comparison, comparable, places
from expandcontract.backfill.fill import LOOK_S, heed
from expandcontract.backfill.job import How, Job
from expandcontract.backfill.looking import Looking, Pass
from expandcontract.backfill.ranges import Range, Readers, cut
from expandcontract.backfill.throttle.watch import Watch
from expandcontract.core.fill import Fill
from expandcontract.core.pace import eta
from expandcontract.core.throttle import Signal
from expandcontract.errors import BackfillError
from expandcontract.ledger.segments import Segments
from expandcontract.pg.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL

    from expandcontract.backfill.comparison import Rows
    from expandcontract.core.shape import Work

PASSES = 10
FUTILE = 2
"""Passes in a row that mend nothing, after which none will."""
OF_WRITERS = frozenset({Signal.DEAD_SHARE, Signal.OLDEST_SNAPSHOT, Signal.VACUUMS})
"""What only concerns whoever leaves dead rows behind; a comparison would wait in vain for what it cannot mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParityProgress:
    """How far a comparison is.

    Attributes:
        change: The change.
        number: Which pass over the table, from 1.
        pages_done: Heap pages compared in this pass.
        pages_total: Heap pages in all.
        differing: Rows found to differ in this pass so far.
        repaired: Rows repaired in this pass so far.
        rows: Which the first 20 differing rows are, as ``users id=17``, by where they are.
        eta: How long the rest of the pass takes; ``None`` before that can be told.
        waiting: Why nobody compares at the moment.
        sources: What makes everybody wait, by name; as long as ``waiting``.
        notes: What is to be said once, all of it so far.
        gentle: Whether statements are short because others are at work on the server.
    """

    change: str
    number: int
    pages_done: int
    pages_total: int
    differing: int
    repaired: int
    rows: tuple[str, ...]
    eta: timedelta | None = None
    waiting: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    gentle: bool = False


def verify(asked: Comparison) -> Iterator[ParityProgress]:
    """Compare every row; with ``repair`` again and again until a whole pass counts zero.

    Takes ACCESS SHARE, and ROW EXCLUSIVE where rows are repaired. May run any number of times.

    Yields:
        Progress, some ten times a second; the last one of a pass has all pages done.

    Raises:
        PlanError: A range would be read by going through a whole table.
        BackfillError: A statement failed, or rows still differ after ten passes of repair, or two that mended none;
            the first are named.
        FunctionError: A Python function gave nothing that can be written.
        FencedError: Another mover has begun since.
    """
    last: ParityProgress | None = None
    futile = 0
    with _watched(asked) as board:
        _prove(asked, board)
        for number in range(1, PASSES + 1):
            for last in _one_pass(asked, number, board):
                yield last
            if last is None or last.differing == 0 or not asked.repair:
                return
            futile = 0 if last.repaired else futile + 1
            if futile == FUTILE:
                break
    passes, rows = (last.number, ", ".join(last.rows)) if last else (0, "")
    amiss = "lack a value" if isinstance(asked.work, Fill) else "differ"
    msg = f"rows still {amiss} after {passes} passes: {rows}"
    raise BackfillError(msg, hint=_hint(asked.change, asked.work))


def _hint(change: str, work: Work) -> str:
    if not isinstance(work, Fill) or work.by_row:
        return f"ec verify {change}"
    if work.function is not None:
        return f"{work.function} left these rows as they are; say in where=… which rows need a value"
    return (
        f"no row of {', '.join(map(str, work.join.values()))} belongs to these; say in where=… which rows need a value"
    )


def count(url: URL, change: str, work: Work, rows: Rows | None = None, *, workers: int = 1) -> int:
    """How many rows differ now, or how many of ``rows`` there are. A gate waits for it, so nothing holds it back."""
    asked = Comparison(url=url, change=change, work=work, how=How(workers=workers), rows=rows)
    return list(_one_pass(asked, 1, Board()))[-1].differing


@contextmanager
def _watched(asked: Comparison) -> Iterator[Board]:
    """A board, and the samplers that write on it for as long as the comparison lasts."""
    given = asked.how.limits
    of = {signal: limit for signal, limit in given.of.items() if signal not in OF_WRITERS}
    limits = replace(given, of=of, explicit=given.explicit - OF_WRITERS, vacuum_share=None)
    board = Board()
    found = {oid: place.leaf for oid, place in places(asked).items()} if of else {}
    how = replace(asked.how, limits=limits)
    watch = Watch(
        Job(url=asked.url, change=asked.change, work=asked.work, leaves=found, how=how),
        board,
        command="verify",
        company=asked.gently,
    )
    try:
        watch.begin()
        yield board
    finally:
        board.stop()
        watch.end()


def _prove(asked: Comparison, board: Board) -> None:
    found = places(asked)
    with asked.connect() as connection:
        where = asked.where(comparable(connection, asked.work))
        first = [
            canary.First(
                leaf=item.leaf,
                query=statement.count(
                    asked.work, identifier(item.leaf.schema, item.leaf.name), where, found[item.leaf.oid].within
                ),
                values={"first": item.first, "end": item.end},
                pages=item.pages,
            )
            for item in cut([place.leaf for place in found.values()], asked.how.workers)
            if item.first == 0 and found[item.leaf.oid].within is not ALL
        ]
        canary.prove(connection, asked.change, first, board)


def _one_pass(asked: Comparison, number: int, board: Board) -> Iterator[ParityProgress]:
    found = places(asked)
    ranges = cut([place.leaf for place in found.values()], asked.how.workers)
    with asked.connect() as connection:
        segments = Segments(connection, asked.change)
        of = Pass(asked=asked, places=found, same=comparable(connection, asked.work), board=board)
        readers = Readers(ranges, asked.how.workers, asked.connect, lambda reader: Looking(of, reader).look, board)
        try:
            yield from _progress(asked, number, board, readers, segments, ranges)
        except BaseException:  # Ctrl-C, or nobody asks any more
            board.stop()
            raise
        finally:
            readers.end()
    if board.error is not None:
        raise board.error


def _progress(
    asked: Comparison, number: int, board: Board, readers: Readers, segments: Segments, ranges: list[Range]
) -> Iterator[ParityProgress]:
    began = shown = monotonic()
    if asked.steered:
        board.allowed = heed(segments, asked.change, board)
    at = ParityProgress(
        change=asked.change,
        number=number,
        pages_done=0,
        pages_total=sum(item.pages for item in ranges),
        differing=0,
        repaired=0,
        rows=(),
    )
    rows: list[tuple[int, tuple[str, ...]]] = []
    for found in readers.found(LOOK_S):
        if found is not None:
            rows = sorted([*rows, (found.range.number, found.rows)])[:NAMED] if found.rows else rows
            at = replace(
                at,
                pages_done=at.pages_done + found.range.pages,
                differing=at.differing + found.differing,
                repaired=at.repaired + found.repaired,
                rows=tuple(name for _, names in rows for name in names)[:NAMED],
            )
        now = monotonic()
        if now - shown >= LOOK_S:
            shown = now
            if asked.steered:
                board.allowed = heed(segments, asked.change, board)
            left = eta(at.pages_done, at.pages_total, timedelta(seconds=now - began))
            at = replace(at, eta=left, waiting=board.reasons, sources=board.sources, notes=board.notes)
            yield replace(at, gentle=asked.is_gentle(company=board.company))
    if board.error is None:
        end = replace(at, eta=None, waiting=(), sources=(), notes=board.notes)
        yield replace(end, gentle=asked.is_gentle(company=board.company))
