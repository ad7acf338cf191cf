"""``rename-column``: a second column with everything the first has, kept equal until the first is dropped."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.change import Change, check_name
from expandcontract.core.mapping import Mapping, Table
from expandcontract.pg import catalog
from expandcontract.revisions.recipes import belongings
from expandcontract.revisions.recipes.belongings import Move, in_schema, qualified, quote_name
from expandcontract.revisions.render import Draft, Half, add_column, quote, rendered, statement

if TYPE_CHECKING:
    from sqlalchemy import Connection


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
    belongings.free(connection, place, new)
    belongings.refuse(connection, place, column)
    return _draft(connection, place, column, new, check_name(name or _default_name(place, old, new)))


def _draft(connection: Connection, table: Table, column: catalog.Column, new: str, name: str) -> Draft:
    old, schema = column.name, in_schema(table)
    carried = belongings.carry(connection, table, [Move(old=column, new=replace(column, name=new))])
    expand = Half(
        summary=f"rename {table}.{old} to {new} (expand)",
        upgrade=[*carried.add, "op.begin_change(change)  # hold and two-way triggers"],
        seal=carried.seal,
        downgrade=["op.end_change(change)", f"op.drop_column({rendered(table.name)}, {rendered(new)}{schema})"],
    )
    fill = f"UPDATE {qualified(table)} SET {quote(old)} = {quote(new)}"
    contract = Half(
        summary=f"rename {table}.{old} to {new} (contract)",
        upgrade=[
            "op.assert_contract(change)  # refused until the rollback window has expired",
            "op.end_change(change)  # triggers, then hold",
            *carried.leave,
            f"op.drop_column({rendered(table.name)}, {rendered(old)}{schema})",
        ],
        downgrade=[add_column(table, column, old), f"op.execute({statement(fill)})", *carried.restore],
    )
    mapping = Mapping(table, forward={new: quote_name(connection, old)}, reverse={old: quote_name(connection, new)})
    return Draft(
        change=Change(name, mapping=mapping),
        expand=expand,
        contract=contract,
        beside=catalog.beside(connection, table, old),
        notes=tuple(carried.notes),
    )


def _default_name(table: Table, old: str, new: str) -> str:
    return re.sub(r"[^a-z0-9_]", "_", f"{table.name}_{old}_to_{new}".lower())
