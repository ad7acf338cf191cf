"""``change-type``: in place where PostgreSQL only writes its catalogue, otherwise a second column with a mapping.

With ``--keep-name`` the second column trades names with the first at cut-over: see :mod:`keep_name`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.change import Change, check_name
from expandcontract.core.mapping import Mapping, Table
from expandcontract.errors import MappingError, UsageError
from expandcontract.pg import catalog, obstacles, retype
from expandcontract.revisions.recipes import belongings, casts
from expandcontract.revisions.recipes.belongings import Move, in_schema, qualified, quote_name
from expandcontract.revisions.recipes.defaults import carried_default
from expandcontract.revisions.recipes.keep_name import kept
from expandcontract.revisions.recipes.replacement import Part, replaced
from expandcontract.revisions.render import Draft, Half, quote, rendered, sqlalchemy_type, statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.pg.catalog import Column


def draft(  # noqa: PLR0913  # each is a flag of the command
    connection: Connection,
    table: str,
    column: str,
    type: str,  # noqa: A002  # as the command has it
    *,
    using: str | None = None,
    reverse: str | None = None,
    lossy: bool = False,
    to: str | None = None,
    keep_name: bool = False,
    name: str | None = None,
) -> Draft:
    """The pair that gives a column another type.

    Args:
        connection: To a database that has the old shape.
        table: The column's table, ``table`` or ``schema.table``.
        column: The column.
        type: The new type, as in CREATE TABLE.
        using: The new value as an expression over the old column; default: a cast, where one is known to be safe.
        reverse: The old value as an expression over the new column; default likewise.
        lossy: Whether going back may not restore every value.
        to: The new column's name; default ``column_type``. Given, the type is not changed in place.
        keep_name: Whether the new column gets the old one's name at cut-over.
        name: The change's name; default ``table_column_type``.

    Returns:
        Both halves; the expand alone where the type is changed in place.

    Raises:
        UnknownNameError: There is no such table or column.
        MappingError: There is no such type, no cast is known to be safe, an expression does not hold on the rows that
            there are, or something on the column cannot be of the new type.
    """
    place = Table.parse(table)
    old = catalog.column(connection, place, column)
    wanted = retype.spelled(connection, type)
    if wanted.name == old.type:
        msg = f"{place}.{column} is {old.type} already"
        raise MappingError(msg)
    change = check_name(name or belongings.named(place.name, column, wanted.name))
    if keep_name:
        if to is not None:
            raise UsageError("--to names a new column, and --keep-name keeps the old name", hint="give one of them")
        return kept(connection, place, old, wanted, using, reverse, change, lossy=lossy)
    if to is None and using is None and reverse is None and retype.work(connection, place, column, wanted.name) == ():
        return _in_place(connection, place, old, wanted.name, change)
    new = replacing(connection, place, old, wanted, to)
    mapping = mapped(connection, place, old, new, using, reverse, lossy=lossy)
    default = carried_default(connection, old, new, mapping)
    part = Part(mapping=mapping, moves=(Move(old=old, new=replace(new, default=default)),))
    what = f"change {place}.{column} from {old.type} to {wanted.name}"
    return replaced(connection, change, what, [part], notes=_notes(old, new, mapping))


def replacing(connection: Connection, table: Table, old: Column, wanted: retype.Type, to: str | None) -> Column:
    """The new column: as the old one, under another name and of the wanted type; its default is still the old one's."""
    fresh = to or _fit(_word(f"{old.name}_{wanted.name}"), belongings.LONGEST)
    collation = old.collation if wanted.collatable else None
    return replace(old, name=belongings.free(connection, table, fresh), type=wanted.name, collation=collation)


def mapped(
    connection: Connection,
    table: Table,
    old: Column,
    new: Column,
    using: str | None,
    reverse: str | None,
    *,
    lossy: bool,
) -> Mapping:
    """Both directions: what was given, or the cast.

    Raises:
        MappingError: A direction was not given, and no cast is known to be safe.
    """
    if (using is None or reverse is None) and not casts.safe(old.type, new.type):
        lacking = " and ".join(flag for flag, given in (("--using", using), ("--reverse", reverse)) if given is None)
        msg = f"no cast between {old.type} and {new.type} is known to be immutable and to bring every value back"
        example = f"--using '{old.name}::{new.type}' --reverse '{new.name}::{old.type}'"
        raise MappingError(msg, hint=f"say how with {lacking}, for example {example}; add --lossy if something is lost")
    forward = using or f"{quote_name(connection, old.name)}::{new.type}"
    back = reverse or f"{quote_name(connection, new.name)}::{old.type}"
    return Mapping(table, forward={new.name: forward}, reverse={old.name: back}, lossy=lossy)


def _notes(old: Column, new: Column, mapping: Mapping) -> list[str]:
    if mapping.lossy:
        return []
    said = f"until the contract, every value that a release writes to {new.name} has to fit {old.type} too"
    if not casts.wider(old.type, new.type):
        return [f"{said}; one that does not is refused"]
    changed = (
        "one that comes back as another (a fraction, a leading zero) keeps old and new unequal, and the contract is"
    )
    return [f"{said}; {changed} refused: declare --lossy if the new release will write such"]


def _in_place(connection: Connection, table: Table, old: Column, wanted: str, name: str) -> Draft:
    obstacles.refuse(connection, table, [old.name], in_place=True)
    back = retype.undone(connection, table, old.name, wanted)
    prepared = (
        f"sessions that prepared a statement which returns {old.name} get one error, 'cached plan must not change"
        " result type', and then prepare it anew"
    )
    notes = [
        "the type is changed in place: PostgreSQL only writes its catalogue; there is no contract",
        prepared,
        f"ANALYZE {qualified(table)} afterwards: the column's statistics go with its old type",
    ]
    irreversible = ""
    if back:
        irreversible = (
            f"{old.name} became {wanted} in place, and to make it {old.type} again PostgreSQL would have to {back}"
        )
        notes.append(
            f"ec rollback will not take it back: {irreversible}; give --to for a new column that can be taken back"
        )
    what = f"change {table}.{old.name} from {old.type} to {wanted} in place"
    half = Half(
        summary=what,
        upgrade=[*_alter(table, old.name, old.type, wanted)],
        downgrade=[*_alter(table, old.name, wanted, old.type, using=bool(back))],
    )
    change = Change(name, touches=table.spelled, irreversible=irreversible)
    return Draft(change=change, expand=half, notes=tuple(notes))


def _alter(table: Table, column: str, old: str, new: str, *, using: bool = False) -> list[str]:
    before, after = sqlalchemy_type(old), sqlalchemy_type(new)
    if before and after and not using:
        types = f"type_={after}, existing_type={before}"
        return [f"op.alter_column({rendered(table.name)}, {rendered(column)}, {types}{in_schema(table)})"]
    place = f"ALTER TABLE {qualified(table)} ALTER COLUMN {quote(column)}"
    if using:
        return [f"op.execute({statement(f'{place} TYPE {new} USING {quote(column)}::{new}')})"]
    why = f"# ec: ignore EC203, EC220 because from {old} to {new} PostgreSQL only writes its catalogue"
    return [why, f"op.execute({statement(f'{place} TYPE {new}')})"]


def _word(text_: str) -> str:
    return re.sub(r"_+", "_", re.sub(r"[^\w]", "_", text_)).strip("_")


def _fit(name: str, longest: int) -> str:
    return name.encode()[:longest].decode(errors="ignore").rstrip("_")
