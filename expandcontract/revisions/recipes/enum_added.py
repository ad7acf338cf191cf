"""A value added to an enum: at the expand, outside a transaction, and for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.change import Change, check_name
from expandcontract.core.mapping import Table
from expandcontract.errors import MappingError, UnknownNameError, UsageError
from expandcontract.pg import relation
from expandcontract.revisions.recipes import standing
from expandcontract.revisions.render import Draft, Half, quote, statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.pg.relation import Enum

LONGEST_LABEL = 63  # bytes
FOR_GOOD = "PostgreSQL cannot take a value out of an enum"
MEETS = (
    "the running release may read {value!r} as soon as the new one writes it, in {columns}: make sure that it can;"
    " it is not translated for a release that cannot"
)


def draft(
    connection: Connection, type_name: str, value: str, *, before: str | None, after: str | None, name: str | None
) -> Draft:
    """An expand alone that adds ``value``; arguments and errors as of ``change-enum``."""
    place = Table.parse(type_name)
    found = relation.enum(connection, place)
    return _add(place, found, value, (before, after), name)


def _add(place: Table, found: Enum, value: str, neighbours: tuple[str | None, str | None], name: str | None) -> Draft:
    _check(place, found, value, neighbours)
    change = check_name(name or standing.named(place.name, "add", value))
    columns = ", ".join(f"{table}.{column}" for table, column in found.columns)
    before, after = neighbours
    where = "" if before is None else f" BEFORE {_literal(before)}"
    where += "" if after is None else f" AFTER {_literal(after)}"
    spelled = f"{quote(place.schema)}.{quote(place.name)}"
    added = f"ALTER TYPE {spelled} ADD VALUE IF NOT EXISTS {_literal(value)}{where}"
    # within a transaction that goes on, the value could not be used
    block = f"with op.get_context().autocommit_block():\n    op.execute({statement(added)})"
    expand = Half(
        summary=f"add {value!r} to the values of {place}",
        upgrade=[block, "op.begin_change(change)"],
        downgrade=["op.end_change(change)  # the value stays"],
    )
    notes = [f"it cannot be taken back: {FOR_GOOD}"]
    notes += [MEETS.format(value=value, columns=columns)] if columns else []
    tables = [table.spelled for table in dict.fromkeys(table for table, _ in found.columns)]
    return Draft(change=Change(change, touches=tables, irreversible=FOR_GOOD), expand=expand, notes=tuple(notes))


def _check(place: Table, found: Enum, value: str, neighbours: tuple[str | None, str | None]) -> None:
    if None not in neighbours:
        msg = "a value has one place: give --before or --after"
        raise UsageError(msg, hint="without either it sorts last")
    if value in found.labels:
        msg = f"{place} has the value {value!r} already"
        raise MappingError(msg, hint=f"\\dT+ {place} in psql lists them")
    if not value or len(value.encode()) > LONGEST_LABEL:
        msg = f"{value!r} cannot be a value: it has {len(value.encode())} bytes, 1 to {LONGEST_LABEL} are needed"
        raise MappingError(msg, hint="choose another")
    for neighbour in neighbours:
        if neighbour is not None and neighbour not in found.labels:
            msg = f"{place} has no value {neighbour!r}; it has {', '.join(found.labels)}"
            raise UnknownNameError(msg, hint=f"\\dT+ {place} in psql lists them")


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
