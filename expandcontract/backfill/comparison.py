"""What is compared, and where: the relations with rows, their keys, and what makes two values differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from expandcontract.backfill import statement
from expandcontract.backfill.job import How, cut_before
from expandcontract.core.fill import Fill
from expandcontract.core.mapping import Mapping
from expandcontract.pg import computed
from expandcontract.pg.catalog import leaves, primary_key
from expandcontract.pg.connect import connect, hot

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import URL

    from expandcontract.backfill.slices import Sliced
    from expandcontract.core.shape import Work
    from expandcontract.pg.catalog import Leaf
    from expandcontract.pg.computed import Form

Rows = Callable[[Any, "Collection[str]"], "sql.Composed"]
"""Which rows count: a predicate of :mod:`statement`, of the work and the columns that have an equality."""
NAMED = 20
"""How many rows are named."""
ALL = sql.SQL("true")


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
        gently: Whether statements are short while others are at work on the server.
    """

    url: URL
    change: str
    work: Work
    how: How
    rows: Rows | None = None
    repair: bool = False
    epoch: int | None = None
    steered: bool = False
    gently: bool = False

    def connect(self) -> psycopg.Connection:
        """A connection to compare over, in autocommit mode."""
        return hot(self.url, command=f"verify {self.change}")

    def where(self, same: Collection[str]) -> sql.Composed:
        """True for a row that counts, given the columns that have an equality."""
        return (self.rows or statement.differs)(self.work, same)

    def is_gentle(self, *, company: bool) -> bool:
        """Whether statements are short, given whether others are at work.

        Only where a row is judged by its own columns, so that a few pages take a fraction of what many take.
        """
        by_row = isinstance(self.work, Mapping) or (isinstance(self.work, Fill) and self.work.by_row)
        return self.gently and company and by_row


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A relation with rows.

    What is no heap table is compared by the slices that it was filled by, and as a whole where it never was.

    Attributes:
        leaf: The relation.
        key: Its primary key.
        form: How its rows are mended, where it takes more than a statement.
        within: True for a row of the pages ``first`` to before ``end``, which are placeholders.
    """

    leaf: Leaf
    key: tuple[str, ...]
    form: Form | None
    within: sql.Composable


def places(asked: Comparison) -> dict[int, Place]:
    """The relations with rows of what is compared, by object identifier."""
    with connect(asked.url, command=f"verify {asked.change}") as catalogue:
        found = leaves(catalogue, asked.work.table)
        forms = computed.forms(catalogue, asked.work, found)
        heap = {
            leaf.oid: Place(
                leaf=leaf,
                key=primary_key(catalogue, leaf.oid),
                form=forms.get(leaf.oid),
                within=statement.RANGE,
            )
            for leaf in found
        }
    sliced = cut_before(asked.url, asked.change, found)
    return {oid: _by_key(place, sliced.get(oid)) for oid, place in heap.items()}


def _by_key(place: Place, sliced: Sliced | None) -> Place:
    if place.leaf.is_heap:
        return place
    if sliced is None:
        return replace(place, leaf=replace(place.leaf, pages=0), within=ALL)
    return replace(place, leaf=sliced.leaf, key=sliced.key.columns, within=sliced.within)


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
