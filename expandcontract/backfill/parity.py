"""Proves that the two shapes agree on every row, and repairs where the old one is the authority.

A count of zero is necessary, not sufficient: it cannot see a write that was lost in both shapes. That none is, is the
work of the triggers and of the form of the statements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg

from expandcontract.backfill import statement
from expandcontract.backfill.job import refuse_odd
from expandcontract.backfill.mending import STEP, Mending
from expandcontract.core.fill import Fill
from expandcontract.core.mapping import Mapping
from expandcontract.errors import BackfillError
from expandcontract.functions.process import LIMIT
from expandcontract.pg import computed
from expandcontract.pg.catalog import leaves
from expandcontract.pg.connect import connect, hot
from expandcontract.pg.quoting import identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import timedelta

    from psycopg import sql
    from sqlalchemy import URL

    from expandcontract.core.shape import Work

Rows = Callable[[Any, "Collection[str]"], "sql.Composed"]
"""Which rows count: a predicate of :mod:`statement`, of the work and the columns that have an equality."""
PASSES = 10
FUTILE = 2
"""Passes in a row that mend nothing, after which none will."""
SHOWN = 20


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
        rows: Where the first 20 differing rows are, as ``table ctid``.
    """

    change: str
    number: int
    pages_done: int
    pages_total: int
    differing: int
    repaired: int
    rows: tuple[str, ...]


def verify(
    url: URL,
    change: str,
    work: Work,
    *,
    repair: bool,
    epoch: int | None = None,
    rows: Rows | None = None,
    function_limit: timedelta = LIMIT,
) -> Iterator[ParityProgress]:
    """Compare every row; with ``repair`` again and again until a whole pass counts zero.

    Args:
        url: The target database.
        change: The change.
        work: Its mapping or fill.
        repair: Set the new shape from the old one where they differ; only before cut-over.
        epoch: Of the mover, where rows are repaired.
        rows: Which rows count, where it is not those whose shapes differ.
        function_limit: After how long a Python function that repairs is broken off.

    Yields:
        Progress; the last one of a pass has all pages done.

    Raises:
        BackfillError: Rows still differ after ten passes of repair, or two that mended none; the first are named.
        FunctionError: A Python function gave nothing that can be written.
        FencedError: Another mover has begun since.
    """
    last: ParityProgress | None = None
    mending = Mending(work, epoch, function_limit) if repair and epoch is not None else None
    futile = 0
    for number in range(1, PASSES + 1):
        for last in _one_pass(url, change, work, number, mending, rows):
            yield last
        if last is None or last.differing == 0 or not repair:
            return
        futile = 0 if last.repaired else futile + 1
        if futile == FUTILE:
            break
    msg = f"rows still {_amiss(work)} after {last.number if last else 0} passes: {', '.join(last.rows) if last else ''}"
    raise BackfillError(msg, hint=_hint(change, work))


def _amiss(work: Work) -> str:
    return "lack a value" if isinstance(work, Fill) else "differ"


def _hint(change: str, work: Work) -> str:
    if not isinstance(work, Fill) or work.by_row:
        return f"ec verify {change}"
    if work.function is not None:
        return f"{work.function} left these rows as they are; say in where=… which rows need a value"
    return (
        f"no row of {', '.join(map(str, work.join.values()))} belongs to these; say in where=… which rows need a value"
    )


def count(url: URL, change: str, work: Work, rows: Rows | None = None) -> int:
    """How many rows differ now, or how many of ``rows`` there are."""
    passed = list(_one_pass(url, change, work, 1, None, rows))
    return passed[-1].differing if passed else 0


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


def _one_pass(
    url: URL, change: str, work: Work, number: int, mending: Mending | None, which: Rows | None
) -> Iterator[ParityProgress]:
    with connect(url, command=f"verify {change}") as catalogue:
        found = leaves(catalogue, work.table)
        refuse_odd(work, found)
        forms = computed.forms(catalogue, work, found)
    total = sum(leaf.pages for leaf in found)
    done = differing = repaired = 0
    rows: list[str] = []
    with hot(url, command=f"verify {change}") as connection:
        same = comparable(connection, work)
        where = (which or statement.differs)(work, same)
        for leaf in found:
            relation = identifier(leaf.schema, leaf.name)
            # the last range is open at its end: rows written meanwhile lie beyond the pages counted
            for first in range(0, leaf.pages + 1, STEP):
                end = first + STEP if first + STEP <= leaf.pages else 2**32 - 2
                values = {"first": first, "end": end}
                here = _found(connection, statement.count(work, relation, where), values)
                if here[0][0]:
                    differing += here[0][0]
                    sampled = _found(connection, statement.sample(work, relation, where), values)
                    rows.extend(f"{leaf.name} {row[0]}" for row in sampled)
                    if mending is not None:
                        plain = statement.repair(work, relation, same)
                        repaired += mending.run(connection, change, forms.get(leaf.oid, plain), first, end)
                yield ParityProgress(
                    change=change,
                    number=number,
                    pages_done=done + min(first + STEP, leaf.pages),
                    pages_total=total,
                    differing=differing,
                    repaired=repaired,
                    rows=tuple(rows[:SHOWN]),
                )
            done += leaf.pages


def _found(connection: psycopg.Connection, query: sql.Composed, values: dict[str, int]) -> list[tuple[Any, ...]]:
    with connection.transaction():
        # for this transaction only: behind a pooler the session is another's too
        connection.execute("SET LOCAL row_security = off")
        return connection.execute(query, values).fetchall()
