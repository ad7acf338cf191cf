"""Renames and removes values of an enum type: a new type beside the old one, and a new column for each of the old.

PostgreSQL renames a value at once, for every release, and removes none. So each column of the type, in all tables,
gets a second one of the new type; CASE leads from value to value, both ways.
https://www.postgresql.org/docs/current/datatype-enum.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.core.change import check_name
from expandcontract.core.mapping import Mapping, Table
from expandcontract.errors import MappingError, UsageError
from expandcontract.pg import catalog
from expandcontract.pg.enum import Enum, columns_of, enum, is_taken, users
from expandcontract.revisions.recipes import belongings, declared
from expandcontract.revisions.recipes.belongings import Move, named, quote_name
from expandcontract.revisions.recipes.defaults import carried_default
from expandcontract.revisions.recipes.replacement import Around, Part, replaced
from expandcontract.revisions.render import Draft, quote, rendered, statement

if TYPE_CHECKING:
    from collections.abc import Mapping as MappingABC
    from collections.abc import Sequence

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """What becomes of the values.

    Attributes:
        old: The type as it is.
        name: The new type's.
        becomes: Old value to new one; what is removed without another in its place is left out.
        removed: What the new type does not have.
        instead: Whether what is removed becomes another.
    """

    old: Enum
    name: str
    becomes: MappingABC[str, str]
    removed: frozenset[str]
    instead: bool

    @property
    def labels(self) -> list[str]:
        """The new type's values, in the order of the old ones."""
        return [self.becomes[label] for label in self.old.labels if label not in self.removed]

    @property
    def before(self) -> str:
        """The old type as SQL."""
        return f"{quote(self.old.schema)}.{quote(self.old.name)}"

    @property
    def after(self) -> str:
        """The new type as SQL."""
        return f"{quote(self.old.schema)}.{quote(self.name)}"

    def forward(self, column: str) -> str:
        """The new value of a column of the old type."""
        return _case(column, self.becomes, self.after)

    def reverse(self, column: str) -> str:
        """The old value of a column of the new type."""
        back = {new: old for old, new in self.becomes.items() if old not in self.removed}
        return _case(column, back, self.before)

    def reread(self, expression: str) -> str:
        """An expression that PostgreSQL wrote over the old type, over the new one.

        Raises:
            MappingError: It names a value that is removed.
        """
        typed = rf"'((?:[^']|'')*)'::(?:{re.escape(self.before)}|{re.escape(quote(self.old.name))})(?![\w\"])"

        def again(found: re.Match[str]) -> str:
            label = found[1].replace("''", "'")
            if label in self.removed:
                msg = f"an index or check says {label!r}, which is removed: {expression}"
                raise MappingError(msg, hint="drop that index or check first, with a pair of its own")
            return f"{_literal(self.becomes.get(label, label))}::{self.after}"

        return re.sub(typed, again, expression)


def draft(
    connection: Connection,
    type_: str,
    *,
    rename: Sequence[str] = (),
    remove: Sequence[str] = (),
    instead: str | None = None,
    type_name: str | None = None,
    to: Sequence[str] = (),
    name: str | None = None,
) -> Draft:
    """The pair that renames or removes values of an enum type.

    Args:
        connection: To a database that has the old type; the new one is made and rolled back.
        type_: ``type`` or ``schema.type``.
        rename: Each ``old=new``.
        remove: Values that the new type does not have.
        instead: What rows get that have a removed value; they are not restored by going back. Default: no row may
            have one.
        type_name: The new type's name; default the old one's with the next number: ``status_2``.
        to: Names of new columns, each ``column=new`` or ``table.column=new``; default as the type's.
        name: The change's name; default ``type_values``.

    Returns:
        Both halves.

    Raises:
        UnknownNameError: There is no such type.
        UsageError: A value is not of the type, or would be there twice.
        MappingError: No column has the type, something else uses it, or a row has a removed value.
    """
    found = _values(connection, enum(connection, Table.parse(type_)), rename, remove, instead, type_name)
    tables = _tables(connection, found)
    wanted = dict(map(declared.assigned, to))
    savepoint = connection.begin_nested()
    try:
        connection.exec_driver_sql(_create(found.after, found.labels).replace("%", "%%"))
        parts = [_part(connection, found, table, columns, wanted) for table, columns in tables.items()]
        change = check_name(name or named(found.old.name, "values"))
        what = f"change the values of {Table(schema=found.old.schema, name=found.old.name)} into {found.name}"
        notes = _notes(found, tables)
        return replaced(connection, change, what, parts, around=_around(found), notes=notes, reread=found.reread)
    finally:
        savepoint.rollback()


def _values(  # what the command was given
    connection: Connection,
    old: Enum,
    rename: Sequence[str],
    remove: Sequence[str],
    instead: str | None,
    type_name: str | None,
) -> Values:
    renamed = {declared.unquoted(left): declared.unquoted(right) for left, right in map(declared.assigned, rename)}
    for label in (*renamed, *remove):
        if label not in old.labels:
            msg = f"{old.name} has no value {label!r}: {', '.join(old.labels)}"
            raise UsageError(msg, hint="\\dT+ in psql lists them")
    becomes = {label: renamed.get(label, label) for label in old.labels if label not in remove}
    labels = list(becomes.values())
    doubled = sorted({label for label in labels if labels.count(label) > 1})
    if doubled or not labels or (not renamed and not remove):
        msg = (
            f"{old.name} would have {doubled[0]!r} twice" if doubled else f"{old.name} would have no value, or the same"
        )
        raise UsageError(msg, hint="--rename OLD=NEW, or --remove VALUE --instead VALUE")
    if instead is not None and instead not in labels:
        msg = f"--instead {instead!r} is no value of the new type: {', '.join(labels)}"
        raise UsageError(msg, hint="it is the value's new name where it is renamed too")
    if instead is not None:
        becomes |= dict.fromkeys(remove, instead)
    fresh = type_name or _next(old.name)
    if is_taken(connection, old.schema, fresh):
        msg = f"there is a type {fresh!r} already"
        raise MappingError(msg, hint="choose another with --type-name")
    return Values(old=old, name=fresh, becomes=becomes, removed=frozenset(remove), instead=instead is not None)


def _tables(connection: Connection, found: Values) -> dict[Table, list[str]]:
    tables = columns_of(connection, found.old)
    if others := users(connection, found.old):
        msg = f"{found.old.name} is used by more than columns of tables, and could not be dropped: {', '.join(others)}"
        raise MappingError(msg, hint="let them take text, or drop them first")
    if not tables:
        msg = f"no column of a table has the type {found.old.name}"
        raise MappingError(msg, hint="drop the type and create it anew with ec new sql")
    return tables


def _part(
    connection: Connection, found: Values, table: Table, columns: Sequence[str], wanted: MappingABC[str, str]
) -> Part:
    moves, forward, reverse = [], {}, {}
    for column in columns:
        old = catalog.column(connection, table, column)
        fresh = wanted.get(f"{table}.{column}") or wanted.get(column) or _numbered(column, found.name)
        new = replace(old, name=belongings.free(connection, table, fresh), type=found.after)
        forward[fresh] = found.forward(quote_name(connection, column))
        reverse[column] = found.reverse(quote_name(connection, fresh))
        moves.append((old, new))
    mapping = Mapping(table, forward=forward, reverse=reverse, lossy=found.instead)
    return Part(
        mapping=mapping,
        moves=tuple(
            Move(old=old, new=replace(new, default=carried_default(connection, old, new, mapping)))
            for old, new in moves
        ),
    )


def _around(found: Values) -> Around:
    def made(type_: str, labels: Sequence[str]) -> list[str]:
        lines = [_create(type_, labels)]
        if found.old.comment is not None:
            lines.append(f"COMMENT ON TYPE {type_} IS {_literal(found.old.comment)}")
        for role in found.old.users:
            grantee = "PUBLIC" if role == "public" else quote(role)
            lines.append(f"GRANT USAGE ON TYPE {type_} TO {grantee}")
        return [f"op.execute({statement(line)})" for line in lines]

    return Around(
        expand=tuple(made(found.after, found.labels)),
        expand_back=(f"op.execute({rendered(f'DROP TYPE {found.after}')})",),
        contract=(f"op.execute({rendered(f'DROP TYPE {found.before}')})",),
        contract_back=tuple(made(found.before, found.old.labels)),
    )


def _notes(found: Values, tables: MappingABC[Table, Sequence[str]]) -> list[str]:
    listed = ", ".join(f"{table}.{column}" for table, columns in tables.items() for column in columns)
    notes = [f"every column of the type gets a second one: {listed}; a contract renames nothing, so the names stay"]
    if found.removed and not found.instead:
        gone = ", ".join(sorted(found.removed))
        notes.append(
            f"no row has {gone} now; a release that writes it leaves the new column NULL, which a NOT NULL of the seal"
            " refuses: let no release write it before the expand"
        )
    return notes


def _create(type_: str, labels: Sequence[str]) -> str:
    return f"CREATE TYPE {type_} AS ENUM ({', '.join(map(_literal, labels))})"


def _case(column: str, becomes: MappingABC[str, str], type_: str) -> str:
    (first, second), *rest = becomes.items()
    # the first result gives all of them their type
    arms = [f"WHEN {_literal(first)} THEN {_literal(second)}::{type_}"]
    arms += [f"WHEN {_literal(label)} THEN {_literal(other)}" for label, other in rest]
    return f"CASE {column} {' '.join(arms)} END"


def _literal(text: str) -> str:
    return str(sql.Literal(text).as_string()).strip()


def _next(name: str) -> str:
    found = re.fullmatch(r"(.*)_(\d+)", name)
    return f"{found[1]}_{int(found[2]) + 1}" if found else f"{name}_2"


def _numbered(column: str, type_name: str) -> str:
    """The column's name with the number that the type's name ends in."""
    number = re.search(r"_(\d+)$", type_name)
    return f"{re.sub(r'_[0-9]+$', '', column)}_{number[1]}" if number else f"{column}_{type_name}"
