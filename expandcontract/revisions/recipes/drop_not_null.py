"""``drop-not-null``: the rule goes at the expand; the way back puts it back, once no row breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.change import Change, check_name
from expandcontract.core.fill import Fill
from expandcontract.core.mapping import Table
from expandcontract.core.phase import Kind
from expandcontract.errors import MappingError, UsageError
from expandcontract.pg import catalog, parsed, relation
from expandcontract.revisions.operations import SealNotNull
from expandcontract.revisions.recipes import columns, standing
from expandcontract.revisions.render import Draft, Half, rendered

if TYPE_CHECKING:
    from sqlalchemy import Connection

READS = "the running release may read NULL from {column} as soon as the new one writes it: make sure that it can"
BACK = "ec rollback is refused while rows have NULL in {column}, and says how many; --fill would fill them first"
FILLS = "ec rollback fills every NULL in {column} with {fill}; which rows had one is not known afterwards"


def draft(
    connection: Connection, table: str, column: str, *, fill: str | None = None, name: str | None = None
) -> Draft:
    """The change that lets a column be NULL.

    Args:
        connection: To a database that has the column.
        table: ``table`` or ``schema.table``.
        column: The column's name.
        fill: What the way back puts where NULL was written meanwhile; without it, such rows close the way back.
        name: The change's name; default ``table_column_nullable``.

    Returns:
        An expand alone.

    Raises:
        UnknownNameError: There is no such table or column.
        UsageError: It is nullable already.
        MappingError: Something needs the column to be NOT NULL, or the fill gives no value.
    """
    place = Table.parse(table)
    traits = standing.whole(connection, place)
    found = catalog.column(connection, place, column)
    if not found.not_null:
        msg = f"{place}.{column} may be NULL already"
        raise UsageError(msg, hint=f"\\d {place} in psql shows it")
    _check(connection, place, found)
    change = check_name(name or standing.named(place.name, column, "nullable"))
    notes = [READS.format(column=column)]
    if fill is None:
        declared = Change(change, touches=place.spelled)
        notes.append(BACK.format(column=column))
    else:
        fill = parsed.expression(fill, "--fill")
        columns.gives_values(connection, place, found.type, fill)
        standing.fillable(traits, place)
        declared = Change(change, fill=Fill(place, {column: fill}), kind=Kind.ADDITIVE)
        notes.append(FILLS.format(column=column, fill=fill))
    where = f"{rendered(place.name)}, {rendered(column)}, nullable=True{standing.schema_argument(place)}"
    expand = Half(
        summary=f"let {place}.{column} be NULL",
        upgrade=[f"op.alter_column({where})", "op.begin_change(change)"],
        restore=[f"op.seal_not_null({rendered(place.spelled)}, {rendered(column)})"],
        downgrade=["op.end_change(change)"],
    )
    return Draft(change=declared, expand=expand, notes=tuple(notes))


def _check(connection: Connection, table: Table, column: catalog.Column) -> None:
    standing.unheld(connection, table, (column.name,))
    if column.identity:
        msg = f"{table}.{column.name} is an identity, which is never NULL"
        raise MappingError(msg, hint="drop the identity first")
    for found in catalog.constraints(connection, table, column.name):
        if found.kind == "p":
            msg = f"{table}.{column.name} is in the primary key {found.name}"
            raise MappingError(msg, hint="a primary key's columns are never NULL")
    if what := relation.needed(connection, table, column.name):
        msg = f"{table}.{column.name} must not be NULL: {what[0]}"
        raise MappingError(msg, hint="ALTER TABLE … REPLICA IDENTITY with another index first")
    own = relation.not_null_name(connection, table, column.name)
    usual = SealNotNull(table, column.name).name
    if own is not None and own != usual:
        msg = f"the NOT NULL of {table}.{column.name} is called {own}, and the way back would call it {usual}"
        raise MappingError(msg, hint=f"rename it first: ALTER TABLE … RENAME CONSTRAINT {own} TO {usual}")
