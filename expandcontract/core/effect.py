"""What one statement of DDL does to a running database: its locks, and whether it reads or rewrites whole tables.

https://www.postgresql.org/docs/current/explicit-locking.html#LOCKING-TABLES
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


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


QUERIES = frozenset({"select", "select for update", "insert", "update", "delete"})
"""The forms that read and write rows and change no schema."""


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
        assumed: Whether a fact that it depends on was not known, so that the worst that it can do is told.
        refused: Why PostgreSQL will not run it, in its own words; empty where it will.
    """

    statement: str
    form: str = "unknown"
    locks: tuple[Lock, ...] = ()
    rewrites: frozenset[str] = frozenset()
    scans: frozenset[str] = frozenset()
    transactional: bool = True
    assumed: bool = False
    refused: str = ""

    @property
    def known(self) -> bool:
        """Whether the lock table has its form."""
        return self.form != "unknown"

    @property
    def strongest(self) -> LockMode | None:
        """Its strongest lock on any relation, or ``None`` where it takes none."""
        return max((lock.mode for lock in self.locks), default=None)


def strongest(locks: Iterable[Lock]) -> tuple[Lock, ...]:
    """One lock a relation, the strongest, sorted by relation."""
    modes: dict[str, LockMode] = {}
    for lock in locks:
        modes[lock.relation] = max(lock.mode, modes.get(lock.relation, lock.mode))
    return tuple(Lock(relation=relation, mode=mode) for relation, mode in sorted(modes.items()))


def together(statement: str, effects: Iterable[Effect]) -> Effect:
    """What several effects are as one statement: of each relation the strongest lock, of the rest the union.

    A table that one part rewrites is not also told as read by another: the rewrite reads it. One part that is not
    known makes the whole unknown, and the locks of the others are kept.
    """
    parts = list(effects)
    forms = list(dict.fromkeys(part.form for part in parts))
    rewrites = frozenset[str]().union(*(part.rewrites for part in parts))
    return Effect(
        statement=statement,
        form="unknown" if "unknown" in forms else " + ".join(forms),
        locks=strongest(lock for part in parts for lock in part.locks),
        rewrites=rewrites,
        scans=frozenset[str]().union(*(part.scans for part in parts)) - rewrites,
        transactional=all(part.transactional for part in parts),
        assumed=any(part.assumed for part in parts),
        refused=next((part.refused for part in parts if part.refused), ""),
    )


def differences(predicted: Effect, observed: Effect, *, held: Iterable[Lock] = ()) -> tuple[str, ...]:
    """What was seen and not foretold, or foretold and not seen, in words; empty where the two agree.

    Of a query only locks stronger than ROW EXCLUSIVE are compared: foreign keys, triggers and partitions take the
    weaker ones row by row, as they do for every release.

    Args:
        predicted: From the lock table.
        observed: From the server, while the statement ran.
        held: Locks that the transaction had before: asking for one again shows nowhere.
    """
    before = {lock.relation: lock.mode for lock in held}
    said = {lock.relation: lock.mode for lock in predicted.locks}
    seen = {lock.relation: lock.mode for lock in observed.locks}
    found = []
    of_rows = QUERIES.issuperset(predicted.form.split(" + "))
    for relation in sorted(said.keys() | seen.keys()):
        if of_rows and max(said.get(relation, 0), seen.get(relation, 0)) <= LockMode.ROW_EXCLUSIVE:
            continue
        modes = [max(filter(None, (side.get(relation), before.get(relation))), default=None) for side in (said, seen)]
        if modes[0] != modes[1]:
            words = [str(mode) if mode else "no lock" for mode in modes]
            found.append(f"{relation}: {words[0]} was foretold, {words[1]} was taken")
    for what, foretold, real in (
        ("rewritten", predicted.rewrites, observed.rewrites),
        ("read whole", predicted.scans, observed.scans),
    ):
        found += [f"{relation} was to be {what} and was not" for relation in sorted(foretold - real)]
        found += [f"{relation} was {what} and that was not foretold" for relation in sorted(real - foretold)]
    return tuple(found)
