"""``change-default``: set at the expand, where both releases get it; dropped at the contract, once none needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.change import Change, check_name
from expandcontract.core.mapping import Table
from expandcontract.core.phase import Kind
from expandcontract.errors import MappingError, UsageError
from expandcontract.pg import catalog, parsed, relation
from expandcontract.revisions.recipes import columns, standing
from expandcontract.revisions.render import Draft, Half

if TYPE_CHECKING:
    from sqlalchemy import Connection

BOTH = (
    "from the expand on, rows of the running release get {new} instead of {old} where it leaves {column} out; where it"
    " would not know that value, let the new release write it and change the default with --at-contract"
)
LATE = "# ec: ignore EC210 because releases that leave the column out need the old default until none is live"
WRITES = "a release that speaks new of this must write {column} itself"


def draft(
    connection: Connection,
    table: str,
    column: str,
    default: str | None = None,
    *,
    drop: bool = False,
    at_contract: bool = False,
    name: str | None = None,
) -> Draft:
    """The change that sets or drops a default.

    Args:
        connection: To a database that has the column.
        table: ``table`` or ``schema.table``.
        column: The column's name.
        default: The new default, an SQL expression.
        drop: Whether there shall be none instead.
        at_contract: Whether it changes only once no release is left that leaves the column out.
        name: The change's name; default ``table_column_default``.

    Returns:
        ``additive`` where the default is set at the expand, else ``removed``.

    Raises:
        UnknownNameError: There is no such table or column.
        UsageError: Neither or both of a default and ``drop`` are given, or the default is that already.
        MappingError: The column gives itself its value, or the expression cannot be its default.
    """
    if (default is None) == (not drop):
        msg = "give either a default or --drop"
        raise UsageError(msg, hint="ec new change-default TABLE COLUMN SQL, or … --drop")
    place = Table.parse(table)
    standing.whole(connection, place)
    found = catalog.column(connection, place, column)
    _check(connection, place, found)
    change = check_name(name or standing.named(place.name, column, "default"))
    if default is not None:
        default = parsed.expression(default, "the default")
        tried = columns.tried(connection, found.type, default)
        if tried.empty and found.not_null:
            msg = f"{place}.{column} is NOT NULL, and {default} is NULL"
            raise MappingError(msg, hint="give another default, or --drop")
    elif found.default is None:
        msg = f"{place}.{column} has no default"
        raise UsageError(msg, hint=f"\\d {place} in psql shows the defaults")
    if drop or at_contract:
        return _late(change, place, found, default)
    return _early(change, place, found, default)


def _check(connection: Connection, table: Table, column: catalog.Column) -> None:
    if column.generated or column.identity:
        msg = f"{table}.{column.name} gives itself its value (identity or generated)"
        raise MappingError(msg, hint="an identity's sequence is changed with ALTER TABLE … ALTER COLUMN … SET …")
    standing.unheld(connection, table, (column.name,))
    for below in relation.descendants(connection, table, column.name):
        if below.default != column.default:
            own = f"the default {below.default}" if below.default is not None else "no default"
            msg = f"{below.name} has {own} for {column.name}, and {table} has {column.default or 'none'}"
            raise MappingError(msg, hint="make them alike with ec new sql first, so that the way back can restore them")


def _early(change: str, table: Table, column: catalog.Column, new: str | None) -> Draft:
    expand = Half(
        summary=f"change the default of {table}.{column.name}",
        upgrade=[columns.default(table, column.name, new), "op.begin_change(change)"],
        downgrade=["op.end_change(change)", columns.default(table, column.name, column.default)],
    )
    old = column.default if column.default is not None else "NULL"
    # a column that is NOT NULL without a default is written by every release
    silent = column.not_null and column.default is None
    notes = () if silent else (BOTH.format(new=new, old=old, column=column.name),)
    return Draft(change=Change(change, touches=table.spelled), expand=expand, notes=notes)


def _late(change: str, table: Table, column: catalog.Column, new: str | None) -> Draft:
    what = f"{'drop' if new is None else 'change'} the default of {table}.{column.name}"
    expand = Half(summary=f"{what} (expand)", upgrade=["op.begin_change(change)"], downgrade=["op.end_change(change)"])
    contract = Half(
        summary=f"{what} (contract)",
        upgrade=[
            "op.assert_contract(change)  # refused until the rollback window has expired",
            "op.end_change(change)",
            *([] if new is None else [LATE]),
            columns.default(table, column.name, new),
        ],
        downgrade=[columns.default(table, column.name, column.default)],
    )
    declared = Change(change, touches=table.spelled, kind=Kind.REMOVED)
    return Draft(change=declared, expand=expand, contract=contract, notes=(WRITES.format(column=column.name),))
