"""What a backfill has to do, and how: settled once, given to every worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from expandcontract.backfill import statement
from expandcontract.backfill.throttle.limits import Limits
from expandcontract.core.pace import Pace, stripes_for
from expandcontract.errors import BackfillError
from expandcontract.pg.catalog import leaves
from expandcontract.pg.connect import connect
from expandcontract.pg.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    from psycopg import sql
    from sqlalchemy import URL

    from expandcontract.core.shape import Work
    from expandcontract.pg.catalog import Leaf

SEGMENTS = 64
"""Into how many parts a large table is cut, so that many workers find one and a lost one is soon taken over."""
LARGEST = 131_072
"""Pages of the largest segment: 1 GiB of 8 KiB pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a backfill goes about it.

    Attributes:
        pace: What it begins with.
        most_pages: The largest window.
        workers: Threads of this process.
        lease: After how long a silent worker's segment is taken over.
        ceiling: After how long one statement is broken off and made smaller.
        limits: What holds it back.
    """

    pace: Pace = field(default_factory=Pace)
    most_pages: int = 3000
    workers: int = 1
    lease: timedelta = timedelta(seconds=30)
    ceiling: timedelta = timedelta(milliseconds=500)
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One table's backfill.

    Attributes:
        url: The target database.
        change: The change.
        work: Its mapping, fill or transfer.
        leaves: The relations that hold the rows, by object identifier.
        how: How to go about it.
    """

    url: URL
    change: str
    work: Work
    leaves: Mapping[int, Leaf]
    how: How

    @property
    def relations(self) -> tuple[int, ...]:
        """The object identifiers of the relations."""
        return tuple(self.leaves)

    @property
    def pages(self) -> int:
        """Heap pages in all, as they were at the start."""
        return sum(leaf.pages for leaf in self.leaves.values())

    @property
    def segment_pages(self) -> int:
        """How large a segment is."""
        return max(self.how.most_pages, min(LARGEST, -(-self.pages // SEGMENTS)))

    def statement(self, relation: int) -> sql.Composed:
        """What fills a batch of one relation."""
        leaf = self.leaves[relation]
        return statement.fill(self.work, identifier(leaf.schema, leaf.name))

    def pace(self, relation: int) -> Pace:
        """The pace to begin one relation with: rows that are large are passed over less often."""
        leaf, pace = self.leaves[relation], self.how.pace
        if leaf.rows <= 0 or leaf.pages <= 0:
            return pace
        stripes = stripes_for(leaf.rows / leaf.pages, pace.stripes)
        return Pace(window_pages=pace.window_pages, stripes=stripes, batch_pages=pace.batch_pages, target=pace.target)


def job(url: URL, change: str, work: Work, how: How) -> Job:
    """Look at the table as it is now.

    Raises:
        BackfillError: A relation is no heap table.
    """
    with connect(url, command=f"backfill {change}") as connection:
        found = {leaf.oid: leaf for leaf in leaves(connection, work.table)}
    odd = [leaf for leaf in found.values() if not leaf.is_heap]
    if odd:
        msg = f"{odd[0].schema}.{odd[0].name} is no heap table; page batches cannot fill it"
        raise BackfillError(msg, hint="move it to the heap access method")
    return Job(url=url, change=change, work=work, leaves=found, how=how)
