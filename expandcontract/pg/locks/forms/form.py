"""A form of DDL, as it is measured: a name, what stands there before, and one statement.

Rules for the next editor:

1. The statement works on table ``a``; names tell roles: ``a_1``, ``a_2`` are its leaves, and ``a_3`` with ``a_3_1``
   below it where a form's ``given`` makes them, ``b`` is a foreign key's other table and ``b_1``, ``b_2`` that one's
   leaves, ``p`` the partitioned table that ``a`` is (to be) a partition of, ``p_1`` a sibling and ``p_d`` the default
   partition, ``w`` and ``m`` a view and a materialized view over ``a``, ``s`` a sequence, ``a_ix`` an index of ``a``.
2. ``name`` is what a prediction calls it. Two forms may share it and differ in ``case``; then they do the same, and
   a test says so.
3. Each form is measured on a plain table, on a partitioned one and on one with a child, unless ``on`` says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What table ``a`` is."""

    PLAIN = "plain"
    PARTITIONED = "partitioned"
    INHERITED = "inherited"


EVERY = frozenset(Kind)
PLAIN = frozenset({Kind.PLAIN})
PARTITIONED = frozenset({Kind.PARTITIONED})
NOT_PARTITIONED = frozenset({Kind.PLAIN, Kind.INHERITED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of DDL.

    Attributes:
        name: As predictions, docs and lint name it.
        statement: One statement on the tables named above.
        given: Statements that run, and are committed, before.
        case: What sets it apart from others of the same name.
        on: The kinds of table that it is measured on.
        since: The first major version that knows it; on an older one the server's refusal is recorded.
        zone: The session's ``TimeZone``.
        transactional: Whether it can run inside a transaction.
        empty: Whether the tables have no rows: for statements that fail on any.
        referenced: What table ``b`` is.
    """

    name: str
    statement: str
    given: str = ""
    case: str = ""
    on: frozenset[Kind] = EVERY
    since: int = 0
    zone: str = "UTC"
    transactional: bool = True
    empty: bool = False
    referenced: Kind = Kind.PLAIN

    @property
    def key(self) -> str:
        """Name and case."""
        return f"{self.name}: {self.case}" if self.case else self.name
