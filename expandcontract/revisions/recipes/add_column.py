"""``add-column``: at once where no row has to be written, else nullable, filled in batches and sealed."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.change import Change, check_name
from expandcontract.core.fill import Fill
from expandcontract.core.mapping import Table
from expandcontract.errors import MappingError
from expandcontract.pg import parsed, relation
from expandcontract.revisions.recipes import columns, standing
from expandcontract.revisions.render import Draft, Half, quote, rendered, statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

SERIALS = {
    "smallserial": "smallint",
    "serial2": "smallint",
    "serial": "integer",
    "serial4": "integer",
    "bigserial": "bigint",
    "serial8": "bigint",
}
NOW = "every row that is there gets the default's value of the moment of the expand"
NO_DEFAULT = "rows that the running release inserts would lack a value, and the column could never become NOT NULL"
LATER = (
    "give --default, or add it nullable and, once a release writes it: ec new set-not-null {table} {column} --fill …"
)
COLUMN_GRANTS = "privileges on {table} were granted on single columns: grant those on {column} too"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """What shall be added; as asked for, then as it is to be done: ``fill`` only where rows have to be written."""

    table: Table
    column: str
    type: str
    default: str | None
    fill: str | None
    not_null: bool
    comment: str | None
    sequence: str | None = None


def draft(  # noqa: PLR0913  # one a flag
    connection: Connection,
    table: str,
    column: str,
    type: str,  # noqa: A002  # as the flag is called
    *,
    default: str | None = None,
    not_null: bool = False,
    fill: str | None = None,
    comment: str | None = None,
    name: str | None = None,
) -> Draft:
    """The change that adds a column.

    Args:
        connection: To a database that has the table.
        table: ``table`` or ``schema.table``.
        column: The new column's name.
        type: Its type; ``serial`` and its kin make a sequence.
        default: Its default, an SQL expression.
        not_null: Whether it shall be NOT NULL.
        fill: A value for the rows that are there, where it is not the default.
        comment: Its comment.
        name: The change's name; default ``table_column``.

    Returns:
        An expand alone: ``additive`` where ADD COLUMN writes no row, else ``filled``.

    Raises:
        UnknownNameError: There is no such table.
        MappingError: The name is taken, the type or an expression cannot be used, or NOT NULL could not hold.
    """
    place = Table.parse(table)
    traits = standing.whole(connection, place)
    standing.free_name(connection, place, column)
    change = check_name(name or standing.named(place.name, column))
    asked = _Wanted(
        table=place, column=column, type=type, default=default, fill=fill, not_null=not_null, comment=comment
    )
    wanted, notes = _resolved(connection, asked)
    if wanted.fill is not None:
        standing.fillable(traits, place)
    if traits.column_grants:
        notes.append(COLUMN_GRANTS.format(table=place, column=column))
    return _draft(connection, change, wanted, notes)


def _resolved(connection: Connection, asked: _Wanted) -> tuple[_Wanted, list[str]]:
    """How it is to be done, and what there is to know of it."""
    if (kind := SERIALS.get(asked.type.strip().lower())) is not None:
        return _serial(connection, asked, kind), []
    asked, notes = _expressions(asked)
    default, fill = asked.default, asked.fill
    tried = columns.tried(connection, asked.type, default)
    if asked.not_null and default is None:
        msg = f"{asked.column} shall be NOT NULL and has no default: {NO_DEFAULT}"
        raise MappingError(msg, hint=LATER.format(table=asked.table, column=asked.column))
    if tried.empty and (asked.not_null or fill is not None):
        msg = f"the default {default} is NULL: {NO_DEFAULT}"
        raise MappingError(msg, hint="give another --default")
    if tried.rewrites and fill is None:
        fill = default
    elif not tried.rewrites and fill == default:
        fill = None  # ADD COLUMN gives it to every row without writing one
        notes += [NOW] if default is not None and "(" in default else []
    if fill is not None:
        columns.gives_values(connection, asked.table, tried.type, fill)
    kind = asked.type if "collate" in asked.type.lower() else tried.type
    return replace(asked, type=kind, fill=fill), notes


def _expressions(asked: _Wanted) -> tuple[_Wanted, list[str]]:
    """Default and fill, each one expression; the fill is the default too where there is none."""
    default = None if asked.default is None else parsed.expression(asked.default, "--default")
    fill = None if asked.fill is None else parsed.expression(asked.fill, "--fill")
    if default is not None or fill is None:
        return replace(asked, default=default, fill=fill), []
    if parsed.reads_columns(fill):
        msg = f"--fill {fill} reads other columns, and there is no --default: {NO_DEFAULT}"
        raise MappingError(msg, hint=LATER.format(table=asked.table, column=asked.column))
    drop = shlex.join(["ec", "new", "change-default", asked.table.spelled, asked.column, "--drop"])
    note = f"the fill is the default too, for the running release leaves {asked.column} out; drop it later with {drop}"
    return replace(asked, default=fill, fill=fill), [note]


def _serial(connection: Connection, asked: _Wanted, kind: str) -> _Wanted:
    table, column = asked.table, asked.column
    if asked.default is not None or asked.fill is not None:
        msg = f"{column} is a serial, whose sequence is its default and its fill"
        raise MappingError(msg, hint="leave out --default and --fill, or name an integer type")
    query = text("SELECT to_regclass(format('%I.%I', cast(:s AS text), cast(:n AS text))) IS NOT NULL")
    name = f"{table.name}_{column}_seq"
    standing.check_length(name)
    if connection.execute(query, {"s": table.schema, "n": name}).scalar_one():
        msg = f"{table.schema} has a relation {name!r} already"
        raise MappingError(msg, hint="name the sequence in --default \"nextval('…')\" with an integer type")
    said = f"{quote(table.schema)}.{quote(name)}".replace("'", "''")
    # the fill is parsed before the expand has made the sequence, so its name is looked up when it runs
    return replace(
        asked,
        type=kind,
        default=f"nextval('{said}'::regclass)",
        fill=f"nextval('{said}'::text)",
        not_null=True,
        sequence=name,
    )


def _draft(connection: Connection, change: str, wanted: _Wanted, notes: list[str]) -> Draft:
    table, column = wanted.table, wanted.column
    schema = standing.schema_argument(table)
    at_once = wanted.fill is None
    lines = columns.add(
        table,
        column,
        wanted.type,
        wanted.default if at_once else None,
        not_null=wanted.not_null and at_once,
        comment=wanted.comment,
    )
    if wanted.sequence is not None:
        before, after = _sequence(connection, wanted, wanted.sequence)
        lines = [*before, *lines, *after]
    if not at_once:
        lines.append(columns.default(table, column, wanted.default))
    declared = (
        Change(change, touches=table.spelled)
        if wanted.fill is None
        else Change(change, fill=Fill(table, {column: wanted.fill}))
    )
    expand = Half(
        summary=f"add {table}.{column}",
        upgrade=[*lines, "op.begin_change(change)"],
        seal=[f"op.seal_not_null({rendered(table.spelled)}, {rendered(column)})"]
        if wanted.not_null and not at_once
        else [],
        downgrade=["op.end_change(change)", f"op.drop_column({rendered(table.name)}, {rendered(column)}{schema})"],
    )
    return Draft(change=declared, expand=expand, notes=tuple(notes))


def _sequence(connection: Connection, wanted: _Wanted, name: str) -> tuple[list[str], list[str]]:
    """What makes the sequence, and what binds it to the column; whoever inserts must be able to draw from it."""
    table = wanted.table
    sequence = f"{quote(table.schema)}.{quote(name)}"
    after = [f"ALTER SEQUENCE {sequence} OWNED BY {standing.place(table)}.{quote(wanted.column)}"]
    for role in relation.inserters(connection, table):
        grantee = "PUBLIC" if role == "public" else quote(role)
        after.append(f"GRANT USAGE ON SEQUENCE {sequence} TO {grantee}")
    made = [f"CREATE SEQUENCE {sequence} AS {wanted.type}"]
    return [f"op.execute({statement(sql)})" for sql in made], [f"op.execute({statement(sql)})" for sql in after]
