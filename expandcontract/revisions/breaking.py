"""Rows that break a rule which is to come, counted before anybody is held to it. Takes ACCESS SHARE."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.pg.connect import hot
from expandcontract.revisions.operations import SealConstraint, SealItem, SealNotNull, SealUnique
from expandcontract.revisions.seal import relation

if TYPE_CHECKING:
    from sqlalchemy import URL


def count(url: URL, item: SealItem) -> int:
    """How many rows break the item now; 0 for what no row can break.

    A scan of the table; of a unique constraint, the rows beyond the first of each value.
    """
    query = _query(item)
    if query is None:
        return 0
    with hot(url, command="verify") as connection:
        connection.execute("SET row_security = off")
        row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _query(item: SealItem) -> sql.Composed | None:
    table = relation(item.table)
    match item:
        case SealNotNull():
            return sql.SQL("SELECT count(*) FROM {} WHERE {} IS NULL").format(table, sql.Identifier(item.column))
        case SealConstraint() if item.definition.startswith("CHECK "):
            broken = sql.SQL(item.definition.removeprefix("CHECK "))
            return sql.SQL("SELECT count(*) FROM {} WHERE NOT {}").format(table, broken)
        case SealUnique():
            keys = sql.SQL(", ").join(map(sql.Identifier, item.columns))
            known = sql.SQL(" AND ").join(sql.SQL("{} IS NOT NULL").format(sql.Identifier(c)) for c in item.columns)
            where = sql.SQL("true") if item.nulls_not_distinct else known
            return sql.SQL(
                "SELECT coalesce(sum(rows - 1), 0) FROM"
                " (SELECT count(*) AS rows FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1) AS doubled"
            ).format(table, where, keys)
        case _:
            return None
