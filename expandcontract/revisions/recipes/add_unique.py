"""``add-unique``: values are counted, and doubles are forbidden once no release is left that writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.mapping import Table
from expandcontract.core.naming import default_name
from expandcontract.errors import MappingError
from expandcontract.pg import catalog
from expandcontract.revisions.leaves import is_partitioned, leaves
from expandcontract.revisions.operations import SealUnique
from expandcontract.revisions.recipes import rule
from expandcontract.revisions.recipes.wording import change_name, execute, listed, qualified
from expandcontract.revisions.render import quote, rendered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from expandcontract.revisions.render import Draft

NULLS = 150000  # the first release that knows NULLS NOT DISTINCT
EQUAL = """SELECT c.conname FROM pg_constraint AS c JOIN pg_index AS x ON x.indexrelid = c.conindid
    WHERE c.conrelid = :oid AND c.contype IN ('p', 'u') AND ARRAY(
        SELECT a.attname::text FROM unnest(c.conkey) AS k (attnum)
        JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND a.attnum = k.attnum ORDER BY 1
    ) = ARRAY(SELECT unnest(cast(:columns AS text[])) ORDER BY 1)"""
PARTITION_KEY = """SELECT coalesce(a.attname::text, '') FROM pg_partitioned_table AS p
    CROSS JOIN LATERAL unnest(p.partattrs) AS k (attnum)
    LEFT JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = k.attnum AND k.attnum > 0
    WHERE p.partrelid IN (SELECT relid FROM pg_partition_tree(:oid))"""


def draft(
    connection: Connection,
    table: str,
    columns: Sequence[str],
    *,
    include: Sequence[str] = (),
    nulls_not_distinct: bool = False,
    constraint: str | None = None,
    name: str | None = None,
) -> Draft:
    """The pair that adds a UNIQUE constraint.

    Args:
        connection: To a database that has the table.
        table: ``table`` or ``schema.table``.
        columns: What is unique together.
        include: What the index carries along.
        nulls_not_distinct: Whether two NULLs count as equal.
        constraint: The constraint's name; default: as PostgreSQL would name it.
        name: The change's name; default ``table_columns_unique``.

    Raises:
        UnknownNameError: There is no such table or column.
        MappingError: The table cannot have that constraint.
    """
    place = Table.parse(table)
    keys, carried = tuple(columns), tuple(include)
    for column in (*keys, *carried):
        catalog.column(connection, place, column)
    _check(connection, place, keys, nulls_not_distinct=nulls_not_distinct)
    named = rule.free_name(
        connection, place, constraint or default_name(place.name, (*keys, *carried), "key"), relation=True
    )
    item = SealUnique(named, place, keys, carried, nulls_not_distinct)
    more = (f", include={listed(carried)}" if carried else "") + (
        ", nulls_not_distinct=True" if nulls_not_distinct else ""
    )
    drop = f"ALTER TABLE {qualified(place)} DROP CONSTRAINT {quote(named)}"
    coming = rule.Rule(
        table=place,
        columns=(*keys, *carried),
        item=item,
        source=f"op.seal_unique({rendered(named)}, {rendered(place.spelled)}, {listed(keys)}{more})",
        undo=execute(drop),
        words=f"make {', '.join(keys)} of {place} unique",
    )
    notes = ("the index is built concurrently, in the contract's move: it waits for every older snapshot",)
    return rule.draft(connection, coming, change_name(place.name, *keys, "unique", name=name), notes=notes)


def _check(connection: Connection, table: Table, columns: tuple[str, ...], *, nulls_not_distinct: bool) -> None:
    if len(set(columns)) < len(columns):
        msg = f"a column stands twice in {', '.join(columns)}"
        raise MappingError(msg)
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    if nulls_not_distinct and version < NULLS:
        msg = "NULLS NOT DISTINCT needs PostgreSQL 15"
        raise MappingError(msg, hint="leave out --nulls-not-distinct")
    if is_partitioned(connection, table):
        _check_partitioned(connection, table, columns)
    for where in (table, *leaves(connection, table)):
        found = _equal(connection, where, columns)
        if found:
            msg = f"{where} has {found} over these columns already"
            hint = None if where == table else f"ec new drop-constraint {where} {found}"
            raise MappingError(msg, hint=hint)


def _check_partitioned(connection: Connection, table: Table, columns: tuple[str, ...]) -> None:
    oid = catalog.table_oid(connection, table)
    key = list(connection.execute(text(PARTITION_KEY), {"oid": oid}).scalars())
    missing = [column or "an expression" for column in key if column not in columns]
    if missing:
        msg = f"{table} is partitioned by {', '.join(missing)}, which a unique constraint over it must have"
        raise MappingError(msg, hint="name the partition key's columns too, or bring the rule over each partition")


def _equal(connection: Connection, table: Table, columns: tuple[str, ...]) -> str | None:
    values = {"oid": catalog.table_oid(connection, table), "columns": list(columns)}
    return connection.execute(text(EQUAL), values).scalars().first()
