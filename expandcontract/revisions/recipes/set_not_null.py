"""``set-not-null``: rows without a value are filled, and NULL is forbidden once no release is left that writes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.mapping import Table
from expandcontract.errors import MappingError
from expandcontract.pg import catalog
from expandcontract.revisions.operations import SealNotNull
from expandcontract.revisions.recipes import rule
from expandcontract.revisions.recipes.wording import change_name, in_schema
from expandcontract.revisions.render import quote, rendered

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.revisions.render import Draft


def draft(
    connection: Connection, table: str, column: str, *, fill: str | None = None, name: str | None = None
) -> Draft:
    """The pair that makes a column NOT NULL.

    Args:
        connection: To a database that has the table.
        table: ``table`` or ``schema.table``.
        column: The column.
        fill: An expression over the same row, for rows that have no value.
        name: The change's name; default ``table_column_not_null``.

    Raises:
        UnknownNameError: There is no such table or column.
        MappingError: The column is NOT NULL already, or the fill cannot be used.
    """
    place = Table.parse(table)
    found = catalog.column(connection, place, column)
    if found.not_null:
        msg = f"{place}.{column} is NOT NULL already"
        raise MappingError(msg)
    item = SealNotNull(place, column)
    rule.free_name(connection, place, item.name)
    null = f"{quote(column)} IS NULL"
    mends = None
    if fill is not None:
        if found.generated:
            msg = f"{place}.{column} is generated, and cannot be filled"
            raise MappingError(msg, hint="mend the columns that it is made from, and leave out --fill")
        mends = rule.mending(connection, place, found, fill, where=null, broken=null)
    coming = rule.Rule(
        table=place,
        columns=(column,),
        item=item,
        source=f"op.seal_not_null({rendered(place.spelled)}, {rendered(column)})",
        undo=f"op.alter_column({rendered(place.name)}, {rendered(column)}, nullable=True{in_schema(place)})",
        words=f"make {place}.{column} NOT NULL",
    )
    return rule.draft(connection, coming, change_name(place.name, column, "not_null", name=name), fill=mends)
