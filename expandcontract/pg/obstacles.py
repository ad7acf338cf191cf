"""What stands in the way of changing a column: things that PostgreSQL binds to it and that cannot be carried over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.errors import MappingError
from expandcontract.pg.catalog import table_oid
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table

QUERIES = load("expandcontract.pg", "obstacles.sql")


def refuse(connection: Connection, table: Table, columns: Sequence[str], *, in_place: bool = False) -> tuple[str, ...]:
    """Refuse what cannot be changed, before anything is.

    Args:
        connection: Read only.
        table: The table.
        columns: The columns that change.
        in_place: The columns themselves change, and no new ones take their place.

    Returns:
        What has to be seen to before the contract, in words: views, policies, triggers and publications that name a
        column.

    Raises:
        MappingError: The first thing that stands in the way, and what to do about it.
    """
    values = {"oid": table_oid(connection, table), "columns": list(columns)}
    for query in ("always",) if in_place else ("always", "replacing"):
        for found in connection.execute(text(QUERIES[query]), values).mappings():
            msg = f"{', '.join(columns)} of {table} cannot change so: {found['what']}"
            raise MappingError(msg, hint=found["fix"])
    bound = list(connection.execute(text(QUERIES["bound"]), values).mappings())
    if in_place and bound:
        what = ", ".join(found["what"] for found in bound)
        msg = f"PostgreSQL does not alter the type of {', '.join(columns)} of {table} while there is {what}"
        raise MappingError(msg, hint="drop it first and create it again afterwards, or give --to for a new column")
    names = ", ".join(columns)
    return tuple(f"{found['what']} names {names}: {found['fix']}, before the contract" for found in bound)
