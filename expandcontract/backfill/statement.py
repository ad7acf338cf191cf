"""The statements of backfill and parity. Values come from the locked row's own columns, never from a snapshot.

Page ranges are TID range scans, whatever the statistics: https://www.postgresql.org/docs/14/release-14.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.backfill import moving
from expandcontract.core.fill import Fill
from expandcontract.core.transfer import Stranded, Transfer
from expandcontract.pg import computed, pairing
from expandcontract.pg.quoting import escaped, identifier

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from collections.abc import Mapping as MappingABC

    from expandcontract.core.mapping import Mapping
    from expandcontract.core.shape import Work

RANGE = sql.SQL("ctid >= format('(%%s,0)', %(first)s::bigint)::tid AND ctid < format('(%%s,0)', %(end)s::bigint)::tid")
LONGEST_VALUE = 64
"""Characters of a key's value that are shown."""
STRIPE = sql.SQL("(hashtid(ctid) & (%(stripes)s - 1)) = %(stripe)s")
PAGES = sql.SQL("{} AND {}").format(RANGE, STRIPE)


def _each(side: MappingABC[str, str], join: str, form: str) -> sql.Composed:
    parts = [
        sql.SQL(form).format(column=identifier(column), value=sql.SQL(escaped(value))) for column, value in side.items()
    ]
    return sql.SQL(join).join(parts)


def _values(work: Fill | Mapping) -> MappingABC[str, str]:
    return work.values if isinstance(work, Fill) else work.forward


def unfilled(work: Fill | Mapping) -> sql.Composed:
    """True for a row that has no new shape yet, and for which there is one."""
    if isinstance(work, Fill):  # its expressions may be volatile, and are evaluated once
        return computed.lacking(work)
    values = _values(work)
    empty = _each(values, " AND ", "{column} IS NULL")
    return sql.SQL("({}) AND ({})").format(empty, _each(values, " OR ", "({value}) IS NOT NULL"))


def fill(work: Work, relation: sql.Identifier, pages: sql.Composable = PAGES) -> sql.Composed:
    """Fill the unfilled rows of one page range and one hash class. Takes ROW EXCLUSIVE; locks the rows it writes.

    Args:
        work: What is filled.
        relation: The table or partition.
        pages: True for the rows of a batch, with placeholders.
    """
    if isinstance(work, Transfer):
        return moving.fill(work, relation, pages)
    if isinstance(work, Stranded):
        return moving.create(work.transfer, relation, pages)
    return sql.SQL("UPDATE ONLY {relation} AS {alias} SET {values} WHERE {pages} AND {unfilled}").format(
        relation=relation,
        alias=identifier(work.table.name),
        values=_each(_values(work), ", ", "{column} = ({value})"),
        pages=pages,
        unfilled=unfilled(work),
    )


NONE: frozenset[str] = frozenset()


def types(work: Mapping) -> sql.Composed:
    """Each column of the mapping beside what it should be, of no row: for the types that they have."""
    sides = {**work.forward, **work.reverse}
    return sql.SQL("SELECT {} FROM {} AS {} LIMIT 0").format(
        _each(sides, ", ", "{column}, ({value})"),
        identifier(work.table.schema, work.table.name),
        identifier(work.table.name),
    )


def differs(work: Work, same: Collection[str] = NONE) -> sql.Composed:
    """True for a row whose two shapes disagree; under a lossy mapping either direction may agree.

    Args:
        work: What is compared.
        same: The columns to compare by their type's own equality; the others are compared as text.
    """
    if isinstance(work, Transfer):
        return pairing.differs(work)
    if isinstance(work, Stranded):
        return pairing.stranded(work.transfer)
    if isinstance(work, Fill):
        return unfilled(work)
    forward = _differing(work.forward, same)
    if not work.lossy:
        return sql.SQL("({})").format(forward)
    return sql.SQL("(({}) AND ({}))").format(forward, _differing(work.reverse, same))


def beyond(work: Mapping | Transfer, same: Collection[str] = NONE) -> sql.Composed:
    """True for a row whose new columns tell more than the old ones can give again."""
    if isinstance(work, Transfer):
        return pairing.beyond(work)
    return sql.SQL("({})").format(_differing(work.forward, same))


def unfit(work: Mapping, same: Collection[str] = NONE) -> sql.Composed:
    """True for a row, once the names are traded, with a value that its old column cannot have: going back loses it.

    Under a lossy mapping only what is lost as a whole counts; that the rest is inexact was declared.
    """
    if not work.lossy:
        return sql.SQL("({})").format(_differing(work.forward, same))
    return _each_pair(work, same, "({old} IS NULL AND {differing})")


def astray(work: Mapping, same: Collection[str] = NONE) -> sql.Composed:
    """True for a row, once the names are traded, with an old value that is neither the new one's nor given up as unfit.

    CASE keeps the reverse expression from values that it fails on.
    """
    return _each_pair(work, same, "CASE WHEN {old} IS NULL THEN false WHEN {differing} THEN {other} ELSE false END")


def _each_pair(work: Mapping, same: Collection[str], form: str) -> sql.Composed:
    pairs = zip(work.reverse.items(), work.forward.items(), strict=True)
    parts = [
        sql.SQL(form).format(
            old=identifier(old), differing=_differing({new: forward}, same), other=_differing({old: reverse}, same)
        )
        for (old, reverse), (new, forward) in pairs
    ]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(parts))


def _differing(side: MappingABC[str, str], same: Collection[str]) -> sql.Composed:
    by_type = {column: value for column, value in side.items() if column in same}
    by_text = {column: value for column, value in side.items() if column not in same}
    parts = [
        _each(by_type, " OR ", "{column} IS DISTINCT FROM ({value})"),
        _each(by_text, " OR ", "{column}::text IS DISTINCT FROM ({value})::text"),
    ]
    return sql.SQL(" OR ").join(part for part, given in zip(parts, (by_type, by_text), strict=True) if given)


def _alias(work: Work) -> sql.Identifier:
    """What the row is called in the predicates of this work."""
    return pairing.TARGET if isinstance(work, Transfer) else identifier(work.table.name)


def count(work: Work, relation: sql.Identifier, where: sql.Composed, pages: sql.Composable = RANGE) -> sql.Composed:
    """Count the rows of a page range for which ``where`` holds. Takes ACCESS SHARE."""
    return sql.SQL("SELECT count(*) FROM ONLY {} AS {} WHERE {} AND {}").format(relation, _alias(work), pages, where)


def sample(
    work: Work,
    relation: sql.Identifier,
    where: sql.Composed,
    key: Sequence[str] = (),
    pages: sql.Composable = RANGE,
) -> sql.Composed:
    """The first 20 such rows of a page range, as :func:`named`."""
    return sql.SQL("SELECT {} FROM ONLY {} AS {} WHERE {} AND {} LIMIT 20").format(
        named(_alias(work), key), relation, _alias(work), pages, where
    )


def named(alias: sql.Identifier, key: Sequence[str]) -> sql.Composed:
    """What a row is called: ``id=17``, or ``(country, name)=(de, Ulm)``; ``ctid=(0,1)`` where there is no key."""
    columns = list(key) or ["ctid"]
    values = sql.SQL(" || ', ' || ").join(
        sql.SQL("left({}.{}::text, {})").format(alias, identifier(column), sql.Literal(LONGEST_VALUE))
        for column in columns
    )
    if len(columns) == 1:
        return sql.SQL("{} || {}").format(sql.Literal(escaped(f"{columns[0]}=")), values)
    head = sql.Literal(escaped(f"({', '.join(columns)})=("))
    return sql.SQL("{} || {} || ')'").format(head, values)


def repair(
    work: Work, relation: sql.Identifier, same: Collection[str] = NONE, pages: sql.Composable = RANGE
) -> sql.Composed:
    """Set the new shape from the old one where they differ. Only while the old shape is the authority."""
    if isinstance(work, Transfer):
        return moving.repair(work, relation, pages)
    if isinstance(work, Stranded):
        return moving.create(work.transfer, relation, pages)
    return sql.SQL("UPDATE ONLY {relation} AS {alias} SET {values} WHERE {range} AND {differs}").format(
        relation=relation,
        alias=identifier(work.table.name),
        values=_each(_values(work), ", ", "{column} = ({value})"),
        range=pages,
        differs=differs(work, same),
    )
