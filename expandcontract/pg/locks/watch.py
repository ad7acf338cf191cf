"""What a statement really does: its locks, rewrites and scans, read from the server while its transaction is open.

Rules for the next editor:

1. Locks come from ``pg_locks``. A relation is told by what it was before the statement; one that the statement makes is
   nobody's yet and is left out, as are system catalogues, toast tables and the ledger.
2. An index is reached through its table, so its lock is told only where it is stronger than the table's.
3. A rewrite is a new file. TRUNCATE's is not: nothing is written into it. What a query reads is its planner's choice
   and is not told.
4. A scan is counted by the server (``pg_stat_get_xact_numscans``), by relation and transaction. The messages at
   ``DEBUG1`` ("verifying table …") say the same, but name relations without schema and in the server's language.
5. A foreign key is proved by a query of the planner's choice. It reads the referencing table whole, or an index over
   it; the referenced one is looked into, whole or not as the planner likes, and is not told.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from expandcontract.core.effect import Effect, Lock, LockMode, strongest
from expandcontract.errors import FailedError
from expandcontract.pg.parsed import cut
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from sqlalchemy import Connection

    Rows = Callable[..., list[Mapping[str, Any]]]

QUERIES = load("expandcontract.pg.locks", "watch.sql")
PLANNED = frozenset(
    {
        "copy_stmt",
        "create_table_as_stmt",
        "delete_stmt",
        "insert_stmt",
        "merge_stmt",
        "refresh_mat_view_stmt",
        "select_stmt",
        "truncate_stmt",
        "update_stmt",
    }
)
WITH_FILE = frozenset("rmp")  # tables, materialized views, partitioned tables


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A relation as it is at one moment: ``file`` changes with a rewrite, ``scans`` counts whole reads."""

    oid: int
    name: str
    kind: str
    file: int | None
    scans: int
    table_oid: int | None


@dataclass(frozen=True, slots=True)
class Moment:
    """What there is, is locked and is proved at one moment of a transaction."""

    relations: Mapping[int, Relation]
    locks: frozenset[tuple[int, LockMode]]
    proved: Mapping[int, tuple[int, tuple[int, ...]]]


@dataclass(slots=True)
class Watch:
    """Filled when the block that is watched has ended.

    Attributes:
        held: The locks that the transaction had before.
        effect: What the block did on top of them.
    """

    held: tuple[Lock, ...] = ()
    effect: Effect = field(default_factory=lambda: Effect(statement=""))


@contextmanager
def watch(connection: Connection, statement: str = "") -> Iterator[Watch]:
    """Watch what the block does in the connection's open transaction. Reads catalogues only and locks nothing else.

    Args:
        connection: The one on which the block runs; its transaction stays open and is the caller's.
        statement: The SQL, to be told in the effect.

    Raises:
        FailedError: The server does not count scans (``track_counts`` is off).
    """
    if connection.execute(text("SHOW track_counts")).scalar_one() != "on":
        msg = "scans cannot be observed: track_counts is off"
        raise FailedError(msg, hint="set track_counts = on in the scratch server's postgresql.conf")
    seen = Watch()
    rows = partial(_rows, connection)
    before = moment(rows)
    yield seen
    seen.held, seen.effect = between(statement, before, moment(rows))


def between(statement: str, before: Moment, after: Moment) -> tuple[tuple[Lock, ...], Effect]:
    """The locks that the transaction had before the statement, and what the statement did on top of them."""
    rewrites, scans = work(before, after)
    kinds = {found.kind for found in cut(statement)}
    effect = Effect(
        statement=statement,
        form="observed",
        locks=told(before, after.locks - before.locks, held=before.locks),
        rewrites=frozenset() if "truncate_stmt" in kinds else rewrites,
        scans=frozenset() if kinds & PLANNED else scans,
    )
    return told(before, before.locks), effect


def moment(rows: Rows) -> Moment:
    """What there is now; ``locks`` are those of the session that ``rows`` asks.

    Args:
        rows: Runs the query of that name, with its values, and gives the rows by column.
    """
    pid = rows("pid")[0]["pid"]
    return Moment(
        {row["oid"]: Relation(**row) for row in rows("relations")},
        _modes(rows("locks", pid=pid)),
        {row["oid"]: (row["table_oid"], tuple(row["partners"])) for row in rows("foreign_keys")},
    )


def locks_of(connection: Connection, pid: int) -> frozenset[tuple[int, LockMode]]:
    """The relation locks that a backend has or waits for, by the relation's identifier."""
    return _modes(_rows(connection, "locks", pid=pid))


def _modes(rows: Iterable[Mapping[str, Any]]) -> frozenset[tuple[int, LockMode]]:
    return frozenset((row["oid"], mode(row["mode"])) for row in rows)


def mode(name: str) -> LockMode:
    """A mode as ``pg_locks`` writes it: ``ShareUpdateExclusiveLock``."""
    squeezed = name.removesuffix("Lock").upper()
    return next(known for known in LockMode if known.name.replace("_", "") == squeezed)


def told(
    before: Moment, locks: Iterable[tuple[int, LockMode]], held: Iterable[tuple[int, LockMode]] = ()
) -> tuple[Lock, ...]:
    """The locks on relations that were there before, without those that an index's table has anyway.

    Args:
        before: What there was.
        locks: Those to tell.
        held: Others that the transaction has.
    """
    known = [(before.relations[oid], mode) for oid, mode in locks if oid in before.relations]
    others = [(before.relations[oid], mode) for oid, mode in held if oid in before.relations]
    every = strongest(Lock(relation=relation.name, mode=mode) for relation, mode in (*known, *others))
    of_table = {lock.relation: lock.mode for lock in every}

    def is_covered(relation: Relation, mode: LockMode) -> bool:
        table = before.relations.get(relation.table_oid or 0)
        return table is not None and of_table.get(table.name, 0) >= mode

    return strongest(Lock(relation=r.name, mode=mode) for r, mode in known if not is_covered(r, mode))


def work(before: Moment, after: Moment) -> tuple[frozenset[str], frozenset[str]]:
    """Which tables were written anew, and which others were read whole."""
    pairs = [(old, after.relations[oid]) for oid, old in before.relations.items() if oid in after.relations]
    tables = [(old, new) for old, new in pairs if old.kind in WITH_FILE]
    proofs = [both for oid, both in after.proved.items() if oid not in before.proved]
    touched = {old.table_oid or oid for oid, old in before.relations.items() if _rose(before, after, oid)}
    proving = {table for table, _ in proofs if table in touched}
    partners = {partner for table, others in proofs if table in touched for partner in others} - proving
    rewritten = {old.name for old, new in tables if old.file != new.file}
    read = {old.name for old, new in tables if new.scans > old.scans and old.oid not in partners}
    read |= {old.name for old, _ in tables if old.oid in proving and old.kind != "p"}
    return frozenset(rewritten), frozenset(read - rewritten)


def _rose(before: Moment, after: Moment, oid: int) -> bool:
    return oid in after.relations and after.relations[oid].scans > before.relations[oid].scans


def _rows(connection: Connection, query: str, **values: object) -> list[Mapping[str, Any]]:
    return [dict(row) for row in connection.execute(text(QUERIES[query]), values).mappings()]
