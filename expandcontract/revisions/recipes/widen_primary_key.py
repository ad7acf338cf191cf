"""``widen-primary-key``: a wider key with every column that refers to it, names and numbering kept."""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

from expandcontract.core.change import check_name
from expandcontract.core.mapping import Table
from expandcontract.errors import MappingError, UsageError
from expandcontract.pg import belonging, bound, catalog
from expandcontract.revisions.recipes import swap
from expandcontract.revisions.recipes.belongings import qualified
from expandcontract.revisions.recipes.swap import HELPER, Keys, Swapped
from expandcontract.revisions.render import quote, rendered, statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy import Connection

    from expandcontract.pg.belonging import ForeignKey
    from expandcontract.revisions.render import Draft

TYPES = ("smallint", "integer", "bigint")
LONGEST = 63

Place = tuple[Table, str]


def draft(connection: Connection, table: str, *, type_: str = "bigint", name: str | None = None) -> Draft:
    """The pair that widens a primary key.

    Args:
        connection: To a database that has the old shape.
        table: Its table, ``table`` or ``schema.table``.
        type_: The wider type: ``integer`` or ``bigint``.
        name: The change's name; default ``table_column_type``.

    Raises:
        UnknownNameError: There is no such table.
        UsageError: The type is not a wider one.
        MappingError: The key, or a column that refers to it, cannot be carried.
    """
    place = Table.parse(table)
    key = _key_of(connection, place)
    _refuse_narrow(place, key, type_)
    keys: dict[tuple[Table, str], ForeignKey] = {}
    columns = _all(connection, place, key.name, type_, keys)
    change = check_name(name or re.sub(r"[^a-z0-9_]+", "_", f"{place.name}_{key.name}_{type_}".lower()))
    notes = [swap.note(columns)]
    if keys:
        notes.insert(
            0, f"come along: foreign keys {', '.join(sorted(f'{k.name} of {k.table}' for k in keys.values()))}"
        )
    if left := bound.headroom(connection, place, key.name):
        notes.insert(0, f"headroom: {left}")
    return swap.draft(
        connection,
        change,
        f"widen {place}.{key.name} from {key.type} to {type_}",
        columns,
        keys=_Names(connection, columns).keys(list(keys.values())),
        notes=notes,
    )


def _key_of(connection: Connection, table: Table) -> catalog.Column:
    for column in catalog.columns(connection, table):
        for found in catalog.constraints(connection, table, column.name):
            if found.kind == "p" and found.own and column.name in found.columns:
                if len(found.columns) == 1:
                    return column
                msg = f"the primary key {found.name} of {table} has several columns: {', '.join(found.columns)}"
                raise MappingError(
                    msg, hint="ec new change-type TABLE COLUMN TYPE --keep-name, one column after another"
                )
    msg = f"{table} has no primary key"
    raise MappingError(msg, hint="ec new change-type TABLE COLUMN TYPE --keep-name, which widens any column")


def _refuse_narrow(table: Table, column: catalog.Column, type_: str) -> None:
    if type_ not in TYPES or column.type not in TYPES or TYPES.index(type_) <= TYPES.index(column.type):
        msg = f"{table}.{column.name} is {column.type}, and {type_} is no wider integer type"
        raise UsageError(msg, hint="ec new change-type TABLE COLUMN TYPE --keep-name, for other types")


def _all(
    connection: Connection, table: Table, column: str, type_: str, keys: dict[tuple[Table, str], ForeignKey]
) -> list[Swapped]:
    """The key and every narrower column that refers to it, at whatever remove; ``keys`` gets the foreign keys."""
    found: dict[Place, Swapped] = {}
    waiting: list[Place] = [(table, column)]
    while waiting:
        place = waiting.pop()
        if place in found:
            continue
        found[place] = _widened(connection, *place, type_)
        for key in belonging.foreign_keys(connection, *place):
            _refuse_composite(key, place)
            for end_table in (key.table, key.ref_table):
                _refuse_partitioned(connection, end_table)
            keys[key.table, key.name] = key
            end = (key.table, key.columns[0])
            if (key.ref_table, key.ref_columns[0]) == place and _narrower(connection, end, type_):
                waiting.append(end)
    return list(found.values())


def _widened(connection: Connection, table: Table, column: str, type_: str) -> Swapped:
    old = catalog.column(connection, table, column)
    _refuse_partitioned(connection, table)
    swap.refuse(connection, table, old)
    new = replace(old, name=swap.helper(connection, table, column), type=type_)
    return swap.cast(connection, table, old, new)


def _refuse_partitioned(connection: Connection, table: Table) -> None:
    if [(leaf.schema, leaf.name) for leaf in catalog.leaves(connection, table)] != [(table.schema, table.name)]:
        msg = f"{table} is partitioned: its keys cannot be made from indexes that were built before"
        raise MappingError(msg, hint="copy it into a partitioned table of the wider type")


def _refuse_composite(key: ForeignKey, place: Place) -> None:
    if len(key.columns) > 1:
        msg = f"foreign key {key.name} of {key.table} has several columns, {place[0]}.{place[1]} among them"
        raise MappingError(msg, hint="drop it first, and add it again once the change is contracted")


def _narrower(connection: Connection, place: Place, type_: str) -> bool:
    kind = catalog.column(connection, *place).type
    return kind in TYPES and TYPES.index(kind) < TYPES.index(type_)


class _Names:
    """Every column's name beside, and free names for indexes and constraints over them."""

    def __init__(self, connection: Connection, columns: list[Swapped]) -> None:
        self._connection = connection
        self._columns: dict[Table, dict[str, str]] = {}
        for column in columns:
            self._columns.setdefault(column.table, {})[column.old.name] = column.new.name

    def keys(self, foreign: list[ForeignKey]) -> Keys:
        """The lines about primary and foreign keys over these columns."""
        tables = sorted(self._columns, key=lambda table: (table.schema, table.name))
        primary = [(table, key) for table in tables for key in self._primary(table)]
        foreign = sorted(foreign, key=lambda key: (key.table.schema, key.table.name, key.name))
        return Keys(
            seal=(*(self._index(table, key) for table, key in primary), *(self._foreign(key) for key in foreign)),
            leave=(
                *(swap.drop(key.table, "constraint", key.name) for key in foreign),
                *(swap.drop(table, "constraint", key.name) for table, key in primary),
            ),
            make=(
                *(self._from_index(table, key) for table, key in primary),
                *(swap.rename(key.table, "constraint", self._fresh(key.table, key.name), key.name) for key in foreign),
            ),
        )

    def _primary(self, table: Table) -> Iterator[catalog.Constraint]:
        found = {
            key.name: key
            for column in self._columns[table]
            for key in catalog.constraints(self._connection, table, column)
            if key.kind == "p" and key.own
        }
        for key in found.values():
            if key.deferrable:
                msg = f"the primary key {key.name} of {table} is deferrable, and is not carried over"
                raise MappingError(msg, hint="make it NOT DEFERRABLE first")
            yield key

    def _index(self, table: Table, key: catalog.Constraint) -> str:
        listed = ", ".join(map(quote, self._renamed(table, key.columns)))
        included = ", ".join(map(quote, self._renamed(table, key.included)))
        tail = f"btree ({listed})" + (f" INCLUDE ({included})" if included else "")
        fresh, place = rendered(self._fresh(table, key.name)), rendered(table.spelled)
        return f"op.seal_index({fresh}, {place}, {rendered(tail)}, unique=True)"

    def _from_index(self, table: Table, key: catalog.Constraint) -> str:
        add = f"ALTER TABLE {qualified(table)} ADD CONSTRAINT {quote(key.name)} PRIMARY KEY"
        return f"op.execute({statement(f'{add} USING INDEX {quote(self._fresh(table, key.name))}')})"

    def _foreign(self, key: ForeignKey) -> str:
        copy = replace(
            key,
            columns=self._renamed(key.table, key.columns),
            ref_columns=self._renamed(key.ref_table, key.ref_columns),
            on_delete_columns=self._renamed(key.table, key.on_delete_columns),
        )
        fresh, place = rendered(self._fresh(key.table, key.name)), rendered(key.table.spelled)
        return f"op.seal_foreign_key({fresh}, {place}, {rendered(copy.definition(key.table, NO_NAMES))})"

    def _renamed(self, table: Table, columns: tuple[str, ...]) -> tuple[str, ...]:
        names = self._columns.get(table, {})
        return tuple(names.get(column, column) for column in columns)

    def _fresh(self, table: Table, name: str) -> str:
        wanted = name + HELPER
        if len(wanted.encode()) > LONGEST:
            tail = f"_{sha256(name.encode()).hexdigest()[:6]}{HELPER}"
            wanted = name.encode()[: LONGEST - len(tail)].decode(errors="ignore") + tail
        if wanted in belonging.taken(self._connection, table.schema):
            msg = f"{table.schema} has a relation or constraint {wanted!r}, which is wanted for a copy of {name}"
            raise MappingError(msg, hint="rename that one first")
        return wanted


NO_NAMES: Mapping[str, str] = {}
