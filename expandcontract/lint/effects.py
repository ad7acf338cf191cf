"""The effects that a revision's statements carry, without those on tables that the revision itself makes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

UNTOLD = "?"  # as the predictions name a table that only the database could tell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.core.effect import Effect, Lock
    from expandcontract.core.revision import Revision, Statement


def _new(revision: Revision) -> frozenset[str]:
    return frozenset(f"{table.schema}.{table.name}" for table in revision.created)


def live_effects(revision: Revision) -> Iterator[tuple[Statement, Effect]]:
    """Each effect on tables that were there before, with its statement."""
    new = _new(revision)
    for statement in revision.statements:
        if statement.part in revision.live_parts:
            for effect in statement.effects:
                locks = tuple(lock for lock in effect.locks if lock.relation not in new)
                kept = replace(effect, locks=locks, rewrites=effect.rewrites - new, scans=effect.scans - new)
                yield statement, kept


def live_locks(revision: Revision, statement: Statement) -> tuple[Lock, ...]:
    """The locks that a statement takes on tables that were there before, as far as their names are known."""
    passed = _new(revision) | {UNTOLD}
    return tuple(lock for effect in statement.effects for lock in effect.locks if lock.relation not in passed)


def exclusive(revision: Revision, statement: Statement) -> Iterator[str]:
    """The relations that a statement locks against reads and writes."""
    return (lock.relation for lock in live_locks(revision, statement) if lock.mode.stops_reads)


def transactions(revision: Revision) -> Iterator[list[Statement]]:
    """The statements that share a transaction, in order; what runs outside one ends it."""
    for part in revision.live_parts:
        open_: list[Statement] = []
        for statement in (found for found in revision.statements if found.part is part):
            if statement.autocommit:
                yield open_
                open_ = []
            else:
                open_.append(statement)
        yield open_


def shown(relations: frozenset[str]) -> str:
    """Relations in words; ``public`` goes without saying."""
    return ", ".join(sorted(relation.removeprefix("public.") for relation in relations))
