"""What one statement of DDL does to a running database: its locks, and whether it reads or rewrites whole tables.

https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class LockMode(IntEnum):
    """A table-level lock, weakest first, so that ``max`` gives the strongest of several."""

    ACCESS_SHARE = 1
    ROW_SHARE = 2
    ROW_EXCLUSIVE = 3
    SHARE_UPDATE_EXCLUSIVE = 4
    SHARE = 5
    SHARE_ROW_EXCLUSIVE = 6
    EXCLUSIVE = 7
    ACCESS_EXCLUSIVE = 8

    def __str__(self) -> str:
        return self.name.replace("_", " ")

    @property
    def stops_reads(self) -> bool:
        """Whether a plain SELECT waits for it."""
        return self is LockMode.ACCESS_EXCLUSIVE

    @property
    def stops_writes(self) -> bool:
        """Whether INSERT, UPDATE and DELETE wait for it."""
        return self >= LockMode.SHARE


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Lock:
    """One relation and the strongest lock that a statement takes on it.

    Attributes:
        relation: ``schema.name`` as the catalogue has it, unquoted.
        mode: The strongest lock taken on it.
    """

    relation: str
    mode: LockMode

    def __str__(self) -> str:
        return f"{self.mode} on {self.relation}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What a statement does, as predicted or as observed.

    Attributes:
        statement: The SQL.
        form: Which form of DDL it is, as the lock table names it: ``add column nullable``; ``unknown`` where none.
        locks: On relations that were there before; sorted by relation.
        rewrites: Tables whose rows are all written anew.
        scans: Tables that are read whole, or whose index is built, under the statement's lock.
        transactional: Whether it can run inside a transaction with others.
    """

    statement: str
    form: str = "unknown"
    locks: tuple[Lock, ...] = ()
    rewrites: frozenset[str] = frozenset()
    scans: frozenset[str] = frozenset()
    transactional: bool = True

    @property
    def known(self) -> bool:
        """Whether the lock table has its form."""
        return self.form != "unknown"

    @property
    def strongest(self) -> LockMode | None:
        """Its strongest lock on any relation, or ``None`` where it takes none."""
        return max((lock.mode for lock in self.locks), default=None)
