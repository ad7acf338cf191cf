"""``rename-column``: a second column with everything the first has, kept equal until the first is dropped."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.change import check_name
from expandcontract.core.mapping import Mapping, Table
from expandcontract.pg import catalog
from expandcontract.revisions.recipes import belongings
from expandcontract.revisions.recipes.belongings import Move, named, quote_name
from expandcontract.revisions.recipes.replacement import Part, replaced

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.revisions.render import Draft


def draft(connection: Connection, table: str, old: str, new: str, *, name: str | None = None) -> Draft:
    """The pair that renames a column.

    Args:
        connection: To a database that has the old shape.
        table: The column's table, ``table`` or ``schema.table``.
        old: The column's name.
        new: Its new name.
        name: The change's name; default ``table_old_to_new``.

    Returns:
        Both halves.

    Raises:
        UnknownNameError: There is no such table or column.
        MappingError: The column is of a kind that this recipe cannot carry, or the new name is taken.
    """
    place = Table.parse(table)
    column = catalog.column(connection, place, old)
    fresh = replace(column, name=belongings.free(connection, place, new))
    mapping = Mapping(place, forward={new: quote_name(connection, old)}, reverse={old: quote_name(connection, new)})
    change = check_name(name or named(place.name, old, "to", new))
    part = Part(mapping=mapping, moves=(Move(old=column, new=fresh),))
    return replaced(connection, change, f"rename {place}.{old} to {new}", [part])
