"""``merge-columns``: one column in the place of several."""

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


def draft(  # each is a flag of the command
    connection: Connection,
    table: str,
    columns: Sequence[str],
    *,
    into: str,
    using: str,
    reverse: Sequence[str],
    lossy: bool = False,
    name: str | None = None,
) -> Draft:
    """The pair that merges columns.

    Args:
        connection: To a database that has the old shape.
        table: The columns' table, ``table`` or ``schema.table``.
        columns: The columns.
        into: The new one: ``name`` or ``name type not null``.
        using: Its value as an expression over the old columns.
        reverse: ``column=expression`` over the new column, once for each old one.
        lossy: Whether going back may not restore every value.
        name: The change's name; default ``table_new_merged``.

    Returns:
        Both halves.

    Raises:
        UnknownNameError: There is no such table or column.
        UsageError: An old column has no way back, or what has one is none of them.
        MappingError: A column cannot be replaced, or an expression does not hold on the rows that there are.
    """
    place = Table.parse(table)
    old = {name: catalog.column(connection, place, name) for name in columns}
    back = {declared.unquoted(left): expression for left, expression in map(declared.assigned, reverse)}
    if set(back) != set(old) or len(old) < 2:  # noqa: PLR2004  # one column is renamed
        lacking = sorted(set(old) - set(back)) or sorted(set(back) - set(old)) or list(old)
        msg = f"each of the columns that are merged needs one --reverse, and there have to be two: {', '.join(lacking)}"
        raise UsageError(msg, hint="--reverse 'zip=split_part(place, '' '', 1)', once for each of them")
    new = declared.column(connection, place, declared.declared(into), using, old)
    mapping = Mapping(place, forward={new.name: using}, reverse={name: back[name] for name in old}, lossy=lossy)
    change = check_name(name or named(place.name, new.name, "merged"))
    what = f"merge {', '.join(old)} of {place} into {new.name}"
    return replaced(connection, change, what, [Part(mapping=mapping, added=(new,))])
