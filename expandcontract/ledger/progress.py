"""How a backfill goes, kept for later: about one sample a second at first, never many more than a thousand in all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    import psycopg

QUERIES = load("expandcontract.ledger", "progress.sql")
MOST = 1000
"""From how many samples on every other one goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How far a backfill was at one moment.

    Attributes:
        relation: The table, as ``schema.table``.
        done: Heap pages done.
        total: Heap pages in all.
        rows: Rows filled so far.
        rate: Rows a second, of late, by all processes.
        eta: How long the rest of this table takes; ``None`` where that cannot be told.
        hot_share: Which share of the updates was HOT; ``None`` before there were any.
        heap_bytes: Size of the heap.
        waiting: Why nobody fills; empty where somebody may.
    """

    relation: str
    done: float
    total: int
    rows: int
    rate: float
    eta: timedelta | None
    hot_share: float | None
    heap_bytes: int
    waiting: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What the server says of some relations.

    Attributes:
        heap_bytes: Size of their heaps.
        updated: Rows updated since the server's counters were reset.
        hot: How many of these were HOT updates: on the same page, and without a new index entry.
    """

    heap_bytes: int
    updated: int
    hot: int


def measure(connection: psycopg.Connection, relations: Sequence[int]) -> Measured:
    """Look at the relations. Takes no lock that anybody could wait for; counters are up to a second late."""
    row = connection.execute(QUERIES["measure"], {"relations": list(relations)}).fetchone()
    assert row is not None  # noqa: S101  # an aggregate always has a row
    return Measured(heap_bytes=row[0], updated=row[1], hot=row[2])


def heap_at_first(connection: psycopg.Connection, change: str, relation: str) -> int | None:
    """How large the heap of a table was when its backfill began; ``None`` where nothing has been kept of it."""
    row = connection.execute(QUERIES["first"], {"change": change, "relation": relation}).fetchone()
    return None if row is None else int(row[0])


def keep(connection: psycopg.Connection, change: str, sample: Sample, *, last: bool = False) -> None:
    """Keep a sample, where the one before is old enough; any number of processes may.

    Args:
        connection: In autocommit mode.
        change: The change; nothing is kept where no backfill of it has begun.
        sample: How far it is.
        last: Keep it in any case.
    """
    values = {
        "change": change,
        "relation": sample.relation,
        "done": sample.done,
        "total": sample.total,
        "rows": sample.rows,
        "rate": sample.rate,
        "eta": sample.eta,
        "hot_share": sample.hot_share,
        "heap_bytes": sample.heap_bytes,
        "waiting": list(sample.waiting),
        "last": last,
        "most": MOST,
    }
    with connection.transaction():
        # a sample may be lost in a crash; a standby that does not answer may not keep us from looking
        connection.execute("SET LOCAL synchronous_commit = off")
        kept = connection.execute(QUERIES["keep"], values).fetchone()
        if kept is not None and kept[0]:
            connection.execute(QUERIES["thin"], {"change": change})
