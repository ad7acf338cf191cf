"""Proves that the two shapes agree on every row, and repairs where the old one is the authority.

A count of zero is necessary, not sufficient: it cannot see a write that was lost in both shapes. That none is, is the
work of the triggers and of the form of the statements.

A row that differs is not looked at again under a lock: a range is counted and its rows are named in one snapshot, and
the triggers write both shapes in the application's own transaction, so that a difference that is seen was committed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from expandcontract.backfill import canary, statement
from expandcontract.backfill.board import Board
from expandcontract.backfill.fill import LOOK_S, heed
from expandcontract.backfill.job import How, Job, cut_before
from expandcontract.backfill.mending import Mending
from expandcontract.backfill.ranges import Found, Range, Readers, cut
from expandcontract.backfill.throttle.watch import Watch
from expandcontract.core.fill import Fill
from expandcontract.core.mapping import Mapping
from expandcontract.core.pace import eta
from expandcontract.core.throttle import Signal
from expandcontract.errors import BackfillError
from expandcontract.ledger.segments import Segments
from expandcontract.pg import computed
from expandcontract.pg.catalog import leaves, primary_key
from expandcontract.pg.connect import connect, hot
from expandcontract.pg.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import URL

    from expandcontract.backfill.slices import Sliced
    from expandcontract.core.shape import Work
    from expandcontract.pg.catalog import Leaf
    from expandcontract.pg.computed import Form

Rows = Callable[[Any, "Collection[str]"], "sql.Composed"]
"""Which rows count: a predicate of :mod:`statement`, of the work and the columns that have an equality."""
PASSES = 10
FUTILE = 2
"""Passes in a row that mend nothing, after which none will."""
SHOWN = 20
ALL = sql.SQL("true")
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is compared, and how.

    Attributes:
        url: The target database.
        change: The change.
        work: Its mapping, fill or transfer.
        how: By how many, and what holds them back.
        rows: Which rows count, where it is not those whose shapes differ.
        repair: Set the new shape from the old one where they differ; only before cut-over.
        epoch: Of the mover, where rows are repaired.
        steered: Whether ``ec backfill pause`` and ``set`` are heeded: the comparison is part of a backfill.
    """

    url: URL
    change: str
    work: Work
    how: How
    rows: Rows | None = None
    repair: bool = False
    epoch: int | None = None
    steered: bool = False


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


def comparable(connection: psycopg.Connection, work: Work) -> frozenset[str]:
    """The columns of a mapping to compare by their type's own equality, as the triggers do: 2.5 is 2.50.

    The others are compared as text: where there is no such operator or it takes different values for the same, and
    where expression and column differ in type, so that what is stored has been converted.
    """
    if not isinstance(work, Mapping):
        return statement.NONE
    names = list(work.forward) + list(work.reverse)
    try:
        told = connection.execute(statement.types(work), {}).description or []
        casts = connection.execute(
            "SELECT expandcontract.comparable(format('%%I.%%I', %s::text, %s::text)::regclass, name)"
            " FROM unnest(%s::text[]) AS name",
            [work.table.schema, work.table.name, names],
        ).fetchall()
    except psycopg.Error:
        return statement.NONE
    pairs = zip(names, told[::2], told[1::2], casts, strict=True)
    return frozenset(name for name, own, given, (cast,) in pairs if own.type_code == given.type_code and cast == "")


def _hot(asked: Comparison) -> psycopg.Connection:
    return hot(asked.url, command=f"verify {asked.change}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A relation with rows, its primary key, and how its rows are mended where it takes more than a statement.

    What is no heap table is compared by the slices that it was filled by, and as a whole where it never was.
    """

    leaf: Leaf
    key: tuple[str, ...]
    form: Form | None
    within: sql.Composable


def _places(asked: Comparison) -> dict[int, _Place]:
    with connect(asked.url, command=f"verify {asked.change}") as catalogue:
        found = leaves(catalogue, asked.work.table)
        forms = computed.forms(catalogue, asked.work, found)
        places = {
            leaf.oid: _Place(
                leaf=leaf,
                key=primary_key(catalogue, leaf.oid),
                form=forms.get(leaf.oid),
                within=statement.RANGE,
            )
            for leaf in found
        }
    sliced = cut_before(asked.url, asked.change, found)
    return {oid: _by_key(place, sliced.get(oid)) for oid, place in places.items()}


def _by_key(place: _Place, sliced: Sliced | None) -> _Place:
    if place.leaf.is_heap:
        return place
    if sliced is None:
        return replace(place, leaf=replace(place.leaf, pages=0), within=ALL)
    return replace(place, leaf=sliced.leaf, key=sliced.key.columns, within=sliced.within)


@contextmanager
def _watched(asked: Comparison) -> Iterator[Board]:
    """A board, and the samplers that write on it for as long as the comparison lasts."""
    given = asked.how.limits
    of = {signal: limit for signal, limit in given.of.items() if signal not in OF_WRITERS}
    limits = replace(given, of=of, explicit=given.explicit - OF_WRITERS, vacuum_share=None)
    board = Board()
    found = {oid: place.leaf for oid, place in _places(asked).items()} if of else {}
    how = replace(asked.how, limits=limits)
    watch = Watch(
        Job(url=asked.url, change=asked.change, work=asked.work, leaves=found, how=how),
        board,
        command="verify",
        company=False,
    )
    try:
        watch.begin()
        yield board
    finally:
        board.stop()
        watch.end()


def _prove(asked: Comparison, board: Board) -> None:
    places = _places(asked)
    with _hot(asked) as connection:
        where = (asked.rows or statement.differs)(asked.work, comparable(connection, asked.work))
        first = [
            canary.First(
                leaf=item.leaf,
                query=statement.count(
                    asked.work, identifier(item.leaf.schema, item.leaf.name), where, places[item.leaf.oid].within
                ),
                values={"first": item.first, "end": item.end},
                pages=item.pages,
            )
            for item in cut([place.leaf for place in places.values()], asked.how.workers)
            if item.first == 0 and places[item.leaf.oid].within is not ALL
        ]
        canary.prove(connection, asked.change, first, board)


def _one_pass(asked: Comparison, number: int, board: Board) -> Iterator[ParityProgress]:
    found = _places(asked)
    ranges = cut([place.leaf for place in found.values()], asked.how.workers)
    with _hot(asked) as connection:
        segments = Segments(connection, asked.change)
        same = comparable(connection, asked.work)
        where = (asked.rows or statement.differs)(asked.work, same)

        def look(reader: psycopg.Connection, item: Range) -> Found:
            return _look(asked, reader, item, where, same, found[item.leaf.oid])

        readers = Readers(ranges, asked.how.workers, lambda: _hot(asked), look, board)
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
            rows = sorted([*rows, (found.range.number, found.rows)])[:SHOWN] if found.rows else rows
            at = replace(
                at,
                pages_done=at.pages_done + found.range.pages,
                differing=at.differing + found.differing,
                repaired=at.repaired + found.repaired,
                rows=tuple(name for _, names in rows for name in names)[:SHOWN],
            )
        now = monotonic()
        if now - shown >= LOOK_S:
            shown = now
            if asked.steered:
                board.allowed = heed(segments, asked.change, board)
            left = eta(at.pages_done, at.pages_total, timedelta(seconds=now - began))
            at = replace(at, eta=left, waiting=board.reasons, sources=board.sources, notes=board.notes)
            yield at
    if board.error is None:
        yield replace(at, eta=None, waiting=(), sources=(), notes=board.notes)


def _look(
    asked: Comparison,
    connection: psycopg.Connection,
    item: Range,
    where: sql.Composed,
    same: Collection[str],
    place: _Place,
) -> Found:
    relation = identifier(item.leaf.schema, item.leaf.name)
    values = {"first": item.first, "end": item.end}
    try:
        with connection.transaction():
            # what is counted and what is named are of one snapshot
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            # for this transaction only: behind a pooler the session is another's too
            connection.execute("SET LOCAL row_security = off")
            counted = connection.execute(statement.count(asked.work, relation, where, place.within), values).fetchone()
            differing = int(counted[0]) if counted else 0
            if not differing:
                return Found(range=item, differing=0)
            named = statement.sample(asked.work, relation, where, place.key, place.within)
            sampled = connection.execute(named, values).fetchall()
    except psycopg.Error as exc:
        msg = f"the comparison stopped at page {item.first} of {item.leaf.name}: {str(exc).splitlines()[0]}"
        raise BackfillError(msg, hint=f"ec verify {asked.change} counts from the start") from exc
    rows = tuple(f"{item.leaf.name} {row[0]}" for row in sampled)
    repaired = 0
    if asked.repair and asked.epoch is not None:
        mending = Mending(asked.work, asked.epoch, asked.how.function_limit)
        how = place.form or statement.repair(asked.work, relation, same, place.within)
        repaired = mending.run(connection, asked.change, how, item.first, item.end)
    return Found(range=item, differing=differing, rows=rows, repaired=repaired)
