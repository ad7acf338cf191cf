"""How one thread of a comparison looks at pages: a range at once where it is alone, piece by piece beside others."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING

import psycopg

from expandcontract.backfill import statement
from expandcontract.backfill.batch import BrokenOffError
from expandcontract.backfill.comparison import ALL, NAMED
from expandcontract.backfill.mending import Mending
from expandcontract.backfill.ranges import Found
from expandcontract.backfill.worker import AGAIN_S
from expandcontract.core.pace import REMEMBERED, Pace, Took, gentle, steer
from expandcontract.errors import BackfillError
from expandcontract.pg.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from expandcontract.backfill.board import Board
    from expandcontract.backfill.comparison import Comparison, Place
    from expandcontract.backfill.ranges import Range

FIRST_PAGES = 16
"""Pages of the first statement beside others; it grows from there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What every thread of a pass knows.

    Attributes:
        asked: What is compared.
        places: Where its rows are, by object identifier.
        same: The columns that are compared by their type's own equality.
        board: Who is at work, why to wait, and when to stop.
    """

    asked: Comparison
    places: Mapping[int, Place]
    same: Collection[str]
    board: Board


class Looking:
    """Counts the rows of ranges, names the first, and mends them where that was asked.

    Args:
        of: The pass.
        connection: In autocommit mode.
    """

    def __init__(self, of: Pass, connection: psycopg.Connection) -> None:
        self._of = of
        self._connection = connection
        self._where = of.asked.where(of.same)
        self._last: deque[Took] = deque(maxlen=REMEMBERED)
        self._pace = Pace(stripes=1, batch_pages=FIRST_PAGES)

    def look(self, item: Range) -> Found:
        """Look at one range.

        Raises:
            BackfillError: A statement failed.
            BrokenOffError: Nobody waits for the range any more.
        """
        found = Found(range=item, differing=0)
        first, last = item.first, item.first + item.pages
        while first < item.end:
            if first > item.first:
                self._may_go_on()
            size = self._size(item)
            end = until(first, last, item.end, size)
            pages = max(min(end, last) - first, 1)
            found = self._add(found, first, end, pages)
            first = end
        return found

    def _size(self, item: Range) -> int:
        """How many pages the next transaction looks at."""
        asked = self._of.asked
        alone = not asked.is_gentle(company=self._of.board.company)
        if alone or self._of.places[item.leaf.oid].within is ALL:
            self._last.clear()
            self._pace = replace(self._pace, statement=None, piece_pages=None)
            return max(item.pages, 1)
        how = asked.how
        asked_pace = gentle(replace(self._pace, target=how.pace.target), how.gentle_target, how.gentle_statement)
        self._pace = steer(asked_pace, self._last, most_pages=how.most_pages)
        return self._pace.batch_pages

    def _may_go_on(self) -> None:
        board = self._of.board
        while board.reasons and not board.stopped:
            board.rest(AGAIN_S)
        if board.stopped:
            raise BrokenOffError

    def _add(self, found: Found, first: int, end: int, pages: int) -> Found:
        """What is found, with what pages ``first`` to before ``end`` add to it."""
        asked, item = self._of.asked, found.range
        began = monotonic()
        try:
            with self._connection.transaction():
                trip = self._enter()
                differing, rows, work = self._count(item, first, end, pages)
        except psycopg.Error as exc:
            msg = f"the comparison stopped at page {first} of {item.leaf.name}: {str(exc).splitlines()[0]}"
            raise BackfillError(msg, hint=f"ec verify {asked.change} counts from the start") from exc
        seconds = monotonic() - began
        self._last.append(Took(pages=pages, seconds=seconds, overhead=max(seconds - work, 0.0), trip=trip))
        repaired = self._mended(item, first, end) if differing else 0
        return replace(
            found,
            differing=found.differing + differing,
            rows=(*found.rows, *rows)[:NAMED],
            repaired=found.repaired + repaired,
        )

    def _enter(self) -> float:
        """Begin a transaction; how long one way to the server and back takes, in seconds."""
        # what is counted and what is named are of one snapshot
        self._connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        began = monotonic()
        # for this transaction only: behind a pooler the session is another's too
        self._connection.execute("SET LOCAL row_security = off")
        return monotonic() - began

    def _count(self, item: Range, first: int, end: int, pages: int) -> tuple[int, list[str], float]:
        """How many rows count, the names of the first, and the seconds in which they were counted."""
        place, work = self._of.places[item.leaf.oid], self._of.asked.work
        relation = identifier(item.leaf.schema, item.leaf.name)
        query = statement.count(work, relation, self._where, place.within)
        differing, rows, seconds = 0, list[str](), 0.0
        for start, stop in parts(first, first + pages, end, self._pace.piece_pages or pages):
            values = {"first": start, "end": stop}
            began = monotonic()
            counted = self._connection.execute(query, values).fetchone()
            seconds += monotonic() - began
            if counted is None or not counted[0]:
                continue
            differing += int(counted[0])
            if len(rows) < NAMED:
                named = statement.sample(work, relation, self._where, place.key, place.within)
                rows += [f"{item.leaf.name} {row[0]}" for row in self._connection.execute(named, values)]
        return differing, rows, seconds

    def _mended(self, item: Range, first: int, end: int) -> int:
        asked = self._of.asked
        if not asked.repair or asked.epoch is None:
            return 0
        place, relation = self._of.places[item.leaf.oid], identifier(item.leaf.schema, item.leaf.name)
        how = place.form or statement.repair(asked.work, relation, self._of.same, place.within)
        mending = Mending(asked.work, asked.epoch, asked.how.function_limit)
        return mending.run(self._connection, asked.change, how, first, end)


def until(first: int, last: int, end: int, size: int) -> int:
    """Where ``size`` pages from ``first`` on end; ``end`` where they reach ``last``, the last page that is known of."""
    return first + size if first + size < last else end


def parts(first: int, last: int, end: int, size: int) -> Iterator[tuple[int, int]]:
    """Pages ``first`` to before ``end`` in parts of ``size``; what lies beyond ``last`` belongs to the last part."""
    while first < end:
        stop = until(first, last, end, size)
        yield first, stop
        first = stop
