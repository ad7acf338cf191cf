"""``split-column``: several columns in the place of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.change import check_name
from expandcontract.core.mapping import Mapping, Table
from expandcontract.errors import UsageError
from expandcontract.pg import catalog
from expandcontract.revisions.recipes import declared
from expandcontract.revisions.recipes.belongings import named
from expandcontract.revisions.recipes.replacement import Part, replaced

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from expandcontract.revisions.render import Draft


def draft(
    connection: Connection,
    table: str,
    column: str,
    *,
    into: Sequence[str],
    reverse: str,
    lossy: bool = False,
    name: str | None = None,
) -> Draft:
    """The pair that splits a column.

    Args:
        connection: To a database that has the old shape.
        table: The column's table, ``table`` or ``schema.table``.
        column: The column.
        into: The new ones, each ``name=expression`` or ``name type not null=expression``.
        reverse: The old value as an expression over the new columns.
        lossy: Whether going back may not restore every value.
        name: The change's name; default ``table_column_split``.

    Returns:
        Both halves.

    Raises:
        UnknownNameError: There is no such table or column.
        UsageError: No new column is given, or one is not declared as above.
        MappingError: The column cannot be replaced, or an expression does not hold on the rows that there are.
    """
    if not into:
        msg = f"nothing says what {column} is split into"
        raise UsageError(msg, hint="--into 'first=split_part(full_name, '' '', 1)', once for each new column")
    place = Table.parse(table)
    old = catalog.column(connection, place, column)
    pairs = [declared.assigned(said) for said in into]
    new = [
        declared.column(connection, place, declared.declared(left), expression, {column: old})
        for left, expression in pairs
    ]
    forward = {found.name: expression for found, (_, expression) in zip(new, pairs, strict=True)}
    mapping = Mapping(place, forward=forward, reverse={column: reverse}, lossy=lossy)
    change = check_name(name or named(place.name, column, "split"))
    what = f"split {place}.{column} into {', '.join(forward)}"
    return replaced(connection, change, what, [Part(mapping=mapping, added=tuple(new))])
