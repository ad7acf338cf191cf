"""``change-type --keep-name``: another type under the same name, which no release need notice."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy.exc import DBAPIError

from expandcontract.core.change import check_name
from expandcontract.core.mapping import Table
from expandcontract.errors import MappingError
from expandcontract.pg import belonging, catalog
from expandcontract.pg.expression import renamed
from expandcontract.revisions.recipes import belongings, swap

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.revisions.render import Draft


def draft(
    connection: Connection,
    table: str,
    column: str,
    type_: str,
    *,
    using: str | None = None,
    reverse: str | None = None,
    lossy: bool = False,
    name: str | None = None,
) -> Draft:
    """The pair that gives a column another type under the same name.

    Args:
        connection: To a database that has the old shape.
        table: The column's table, ``table`` or ``schema.table``.
        column: The column.
        type_: Its new type, as SQL.
        using: The new value, over the column; default a cast.
        reverse: The old value, over the column once it has the new type; default a cast.
        lossy: Whether going back may not restore every value.
        name: The change's name; default ``table_column_type``.

    Raises:
        UnknownNameError: There is no such table or column.
        MappingError: The column cannot give its name away, or has what the new type cannot carry.
    """
    place = Table.parse(table)
    old = catalog.column(connection, place, column)
    belongings.refuse(connection, place, old)
    swap.refuse(connection, place, old)
    _refuse_referred(connection, place, column)
    beside = swap.helper(connection, place, column)
    new = replace(old, name=beside, type=type_, default=_default(connection, old, type_))
    found = replace(swap.cast(connection, place, old, new), lossy=lossy)
    if using:
        found = replace(found, forward=using)
    if reverse:
        found = replace(found, back=renamed(connection, reverse, {column: (type_, beside)}), restored=reverse)
    change = check_name(name or re.sub(r"[^a-z0-9_]+", "_", f"{place.name}_{column}_{type_}".lower()).rstrip("_"))
    what = f"change {place}.{column} from {old.type} to {type_} under the same name"
    return swap.draft(connection, change, what, [found], notes=[swap.note([found])])


def _refuse_referred(connection: Connection, table: Table, column: str) -> None:
    for key in belonging.foreign_keys(connection, table, column):
        if key.ref_table == table and column in key.ref_columns:
            msg = f"foreign key {key.name} of {key.table} refers to {table}.{column}, and would have to change with it"
            raise MappingError(msg, hint=f"ec new widen-primary-key {table}, where it is the key that shall be wider")


def _default(connection: Connection, column: catalog.Column, type_: str) -> str | None:
    """The column's default, where the new type takes it as it stands."""
    if column.default is None:
        return None
    savepoint = connection.begin_nested()
    try:
        probe = sql.SQL("CREATE TEMP TABLE expandcontract_probe (found {} DEFAULT {})")
        statement = probe.format(sql.SQL(type_), sql.SQL(column.default)).as_string()
        connection.exec_driver_sql(statement.replace("%", "%%"))
    except DBAPIError as exc:
        reason = str(exc.orig).splitlines()[0]
        msg = f"the default {column.default} of {column.name} does not fit {type_}: {reason}"
        raise MappingError(msg, hint="change the default first, or drop it") from exc
    finally:
        savepoint.rollback()
    return column.default
