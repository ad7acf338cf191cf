"""The statements of backfill and parity. Values come from the locked row's own columns, never from a snapshot.

Page ranges are TID range scans, whatever the statistics: https://www.postgresql.org/docs/14/release-14.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

if TYPE_CHECKING:
    from expandcontract.core.mapping import Mapping

RANGE = sql.SQL("ctid >= format('(%%s,0)', %(first)s::bigint)::tid AND ctid < format('(%%s,0)', %(end)s::bigint)::tid")


def identifier(*names: str) -> sql.Identifier:
    """A quoted, dotted name; a percent sign is doubled, as it would begin a placeholder otherwise."""
    return sql.Identifier(*map(_escaped, names))


def _both(mapping: Mapping, join: str, form: str) -> sql.Composed:
    parts = [
        sql.SQL(form).format(column=identifier(column), value=sql.SQL(_escaped(value)))
        for column, value in mapping.forward.items()
    ]
    return sql.SQL(join).join(parts)


def _escaped(expression: str) -> str:
    return expression.replace("%", "%%")


def fill(mapping: Mapping, relation: sql.Identifier) -> sql.Composed:
    """Fill the unfilled rows of one page range and one hash class. Takes ROW EXCLUSIVE; locks the rows it writes."""
    return sql.SQL(
        "UPDATE ONLY {relation} AS {alias} SET {values} WHERE {range}"
        " AND (hashtid(ctid) & (%(stripes)s - 1)) = %(stripe)s AND ({unfilled}) AND ({something})"
    ).format(
        relation=relation,
        alias=identifier(mapping.table.name),
        values=_both(mapping, ", ", "{column} = ({value})"),
        range=RANGE,
        unfilled=_both(mapping, " AND ", "{column} IS NULL"),
        something=_both(mapping, " OR ", "({value}) IS NOT NULL"),
    )


def differs(mapping: Mapping) -> sql.Composed:
    """True for a row whose two shapes disagree; under a lossy mapping either direction may agree."""
    forward = _both(mapping, " OR ", "{column}::text IS DISTINCT FROM ({value})::text")
    if not mapping.lossy:
        return sql.SQL("({})").format(forward)
    reverse = sql.SQL(" OR ").join(
        sql.SQL("{column}::text IS DISTINCT FROM ({value})::text").format(
            column=identifier(column), value=sql.SQL(_escaped(value))
        )
        for column, value in mapping.reverse.items()
    )
    return sql.SQL("(({}) AND ({}))").format(forward, reverse)


def count(mapping: Mapping, relation: sql.Identifier) -> sql.Composed:
    """Count the rows of a page range whose shapes differ. Takes ACCESS SHARE."""
    return sql.SQL("SELECT count(*) FROM ONLY {} AS {} WHERE {} AND {}").format(
        relation, identifier(mapping.table.name), RANGE, differs(mapping)
    )


def sample(mapping: Mapping, relation: sql.Identifier) -> sql.Composed:
    """The first 20 differing rows of a page range, by ctid."""
    return sql.SQL("SELECT ctid::text FROM ONLY {} AS {} WHERE {} AND {} LIMIT 20").format(
        relation, identifier(mapping.table.name), RANGE, differs(mapping)
    )


def repair(mapping: Mapping, relation: sql.Identifier) -> sql.Composed:
    """Set the new shape from the old one where they differ. Only while the old shape is the authority."""
    return sql.SQL("UPDATE ONLY {relation} AS {alias} SET {values} WHERE {range} AND {differs}").format(
        relation=relation,
        alias=identifier(mapping.table.name),
        values=_both(mapping, ", ", "{column} = ({value})"),
        range=RANGE,
        differs=differs(mapping),
    )
