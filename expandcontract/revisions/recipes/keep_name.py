"""``change-type --keep-name``: another type under the same name, which no release need notice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.mapping import Mapping
from expandcontract.errors import MappingError
from expandcontract.pg import belonging, obstacles
from expandcontract.pg.expression import renamed
from expandcontract.revisions.recipes import casts, swap
from expandcontract.revisions.recipes.defaults import carried_default
from expandcontract.revisions.recipes.replacement import prove
from expandcontract.revisions.render import quote

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table
    from expandcontract.pg.catalog import Column
    from expandcontract.pg.retype import Type
    from expandcontract.revisions.render import Draft


def kept(
    connection: Connection,
    table: Table,
    old: Column,
    wanted: Type,
    using: str | None,
    reverse: str | None,
    name: str,
    *,
    lossy: bool,
) -> Draft:
    """The pair that gives a column another type under the same name.

    Args:
        connection: To a database that has the old shape.
        table: The column's table.
        old: The column.
        wanted: Its new type.
        using: The new value, over the column; default a cast, where one is known to be safe.
        reverse: The old value, over the column once it has the new type; default likewise.
        name: The change's name.
        lossy: Whether going back may not restore every value.

    Raises:
        MappingError: The column cannot give its name away, an expression does not hold on the rows that there are, or
            something on the column cannot be of the new type.
    """
    swap.refuse(connection, table, old)
    _refuse_referred(connection, table, old.name)
    obstacles.refuse(connection, table, [old.name])
    _refuse_unsafe(old, wanted.name, using, reverse)
    collation = old.collation if wanted.collatable else None
    new = replace(old, name=swap.helper(connection, table, old.name), type=wanted.name, collation=collation)
    found = replace(swap.cast(connection, table, old, new), lossy=lossy)
    if using is not None:
        found = replace(found, forward=using)
    if reverse is not None:
        back = renamed(connection, reverse, {old.name: (wanted.name, new.name)})
        found = replace(found, back=back, restored=reverse)
    mapping = Mapping(table, forward={new.name: found.forward}, reverse={old.name: found.back}, lossy=lossy)
    notes = [swap.note([found]), *prove(connection, mapping, [new])]
    found = replace(found, new=replace(new, default=carried_default(connection, old, new, mapping)))
    what = f"change {table}.{old.name} from {old.type} to {wanted.name} under the same name"
    return swap.draft(connection, name, what, [found], notes=notes)


def _refuse_referred(connection: Connection, table: Table, column: str) -> None:
    for key in belonging.foreign_keys(connection, table, column):
        if key.ref_table == table and column in key.ref_columns:
            msg = f"foreign key {key.name} of {key.table} refers to {table}.{column}, and would have to change with it"
            raise MappingError(msg, hint=f"ec new widen-primary-key {table}, where it is the key that shall be wider")


def _refuse_unsafe(old: Column, new: str, using: str | None, reverse: str | None) -> None:
    if (using is not None and reverse is not None) or casts.safe(old.type, new):
        return
    lacking = " and ".join(flag for flag, given in (("--using", using), ("--reverse", reverse)) if given is None)
    name = quote(old.name)
    example = f"--using '{name}::{new}' --reverse '{name}::{old.type}'"
    msg = f"no cast between {old.type} and {new} is known to be immutable and to bring every value back"
    raise MappingError(msg, hint=f"say how with {lacking}, for example {example}; add --lossy if something is lost")
