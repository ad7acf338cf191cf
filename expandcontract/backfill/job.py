"""What a backfill has to do, and how: settled once, given to every worker."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from expandcontract.backfill import joining, slices, statement
from expandcontract.backfill.throttle.limits import Limits
from expandcontract.core.fill import Fill
from expandcontract.core.pace import Pace, stripes_for
from expandcontract.errors import BackfillError
from expandcontract.functions.found import check
from expandcontract.functions.process import LIMIT
from expandcontract.pg import computed, joined
from expandcontract.pg.catalog import leaves
from expandcontract.pg.connect import connect, hot
from expandcontract.pg.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import psycopg
    from psycopg import sql
    from sqlalchemy import URL

    from expandcontract.backfill.slices import Sliced
    from expandcontract.core.shape import Work
    from expandcontract.pg.catalog import Leaf
    from expandcontract.pg.computed import Form

SEGMENTS = 64
"""Into how many parts a large table is cut, so that many workers find one and a lost one is soon taken over."""
FIRST_PAGES = 16
"""Pages of a Python function's first batch; it grows from there."""
FIRST_SLICES = 50
"""Slices of the first batch, where rows lie in no heap page."""
LARGEST = 131_072
"""Pages of the largest segment: 1 GiB of 8 KiB pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a backfill goes about it.

    Attributes:
        pace: What it begins with.
        most_pages: The largest window.
        gentle_target: How long a batch should take at most while others are at work on the server.
        gentle_statement: How long one statement of it should take then.
        gentle_rest: How long a worker rests after each batch then, in times of what the batch took.
        workers: Threads of this process.
        lease: After how long a silent worker's segment is taken over.
        ceiling: After how long one statement is broken off and made smaller.
        limits: What holds it back.
        function_limit: After how long a Python function is broken off, and given fewer rows.
        keys: By which columns what is no heap table is gone through, by ``schema.table``; otherwise its primary key.
    """

    pace: Pace = field(default_factory=Pace)
    most_pages: int = 3000
    gentle_target: timedelta = timedelta(milliseconds=10)
    gentle_statement: timedelta = timedelta(microseconds=500)
    gentle_rest: float = 1.0
    workers: int = 1
    lease: timedelta = timedelta(seconds=30)
    ceiling: timedelta = timedelta(milliseconds=500)
    limits: Limits = field(default_factory=Limits)
    function_limit: timedelta = LIMIT
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One table's backfill.

    Attributes:
        url: The target database.
        change: The change.
        work: Its mapping, fill or transfer.
        leaves: The relations that hold the rows, by object identifier.
        how: How to go about it.
        forms: How rows of each are read and written, where it takes more than the row itself.
        sliced: Those that have no heap pages, cut by a key.
    """

    url: URL
    change: str
    work: Work
    leaves: Mapping[int, Leaf]
    how: How
    forms: Mapping[int, Form] = field(default_factory=dict)
    sliced: Mapping[int, Sliced] = field(default_factory=dict)

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
        """What a batch of one relation begins with: it fills the rows, or locks or reads them where more is needed."""
        leaf, form = self.leaves[relation], self.forms.get(relation)
        if form is None:
            pages = self.sliced[relation].within if relation in self.sliced else statement.PAGES
            return statement.fill(self.work, identifier(leaf.schema, leaf.name), pages)
        if form.work.function is not None:
            return computed.read(form, statement.PAGES)
        return joined.lock(form.work, form.relation, statement.PAGES)

    def write(self, connection: psycopg.Connection, relation: int, numbers: Mapping[str, int]) -> int:
        """Fill a batch of one relation within the caller's transaction, by SQL alone; how many rows were.

        Raises:
            BackfillError: A row is joined to several.
            psycopg.Error: The statement failed.
        """
        if relation in self.forms:
            return joining.fill(connection, self.forms[relation], statement.PAGES, numbers)
        return connection.execute(self.statement(relation), numbers).rowcount

    @property
    def function(self) -> Fill | None:
        """The fill, where a Python function does it."""
        return self.work if isinstance(self.work, Fill) and self.work.function is not None else None

    def pace(self, relation: int) -> Pace:
        """The pace to begin one relation with: rows that are large are passed over less often."""
        leaf, pace = self.leaves[relation], self.how.pace
        if relation in self.sliced:  # nothing is known of room to be gained by passing over it again
            return replace(pace, stripes=1, batch_pages=min(pace.batch_pages, FIRST_SLICES))
        if self.function is not None:  # nobody knows yet how long a row takes
            pace = replace(pace, batch_pages=min(pace.batch_pages, FIRST_PAGES))
        if leaf.rows <= 0 or leaf.pages <= 0:
            return pace
        return replace(pace, stripes=stripes_for(leaf.rows / leaf.pages, pace.stripes))


def job(url: URL, change: str, work: Work, how: How) -> Job:
    """Look at the table as it is now; what is no heap table has been cut before.

    Raises:
        BackfillError: That has not been done.
        MappingError: A Python function cannot be imported here, or uses a column that is not there.
    """
    if isinstance(work, Fill):
        check([work])
    with connect(url, command=f"backfill {change}") as connection:
        found = {leaf.oid: leaf for leaf in leaves(connection, work.table)}
        forms = computed.forms(connection, work, found.values())
    odd = cut_before(url, change, found.values())
    uncut = [f"{leaf.schema}.{leaf.name}" for leaf in found.values() if not leaf.is_heap and leaf.oid not in odd]
    if uncut:
        msg = f"{', '.join(uncut)} became part of {work.table} after its backfill began"
        raise BackfillError(msg, hint=f"ec rollback {change}, then begin anew")
    found |= {oid: item.leaf for oid, item in odd.items()}
    return Job(url=url, change=change, work=work, leaves=found, how=how, forms=forms, sliced=odd)


def cut_before(url: URL, change: str, found: Iterable[Leaf]) -> dict[int, Sliced]:
    """The slices of what is no heap table, where it has been cut, by object identifier."""
    odd = [leaf for leaf in found if not leaf.is_heap]
    if not odd:
        return {}
    with hot(url, command=f"backfill {change}") as connection:
        looked = {leaf.oid: slices.stored(connection, change, leaf) for leaf in odd}
    return {oid: item for oid, item in looked.items() if item is not None}
