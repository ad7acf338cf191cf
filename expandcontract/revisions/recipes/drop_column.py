"""``drop-column``: releases learn to do without it, and it goes once none is left that reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy.exc import DBAPIError

from expandcontract.core.change import Change
from expandcontract.core.mapping import Table
from expandcontract.core.shape import Hold
from expandcontract.errors import MappingError
from expandcontract.pg import catalog, clause, leaving
from expandcontract.revisions.recipes.wording import change_name, execute, in_schema, qualified
from expandcontract.revisions.render import Draft, Half, add_column, quote, rendered, statement

if TYPE_CHECKING:
    from sqlalchemy import Connection


def draft(
    connection: Connection, table: str, column: str, *, default: str | None = None, name: str | None = None
) -> Draft:
    """The pair that drops a column.

    Args:
        connection: To a database that has the column.
        table: ``table`` or ``schema.table``.
        column: The column.
        default: What rows get that a release writes without it, for the old release to read; must be given where the
            column is NOT NULL and has none.
        name: The change's name; default ``drop_table_column``.

    Raises:
        UnknownNameError: There is no such table or column.
        MappingError: The column cannot go, or a release could not do without it.
    """
    place = Table.parse(table)
    found = catalog.column(connection, place, column)
    for why, instead in leaving.bound(connection, place, column):
        msg = f"{place}.{column} {why}"
        raise MappingError(msg, hint=instead)
    _check_unwritten(connection, place, found, default)
    keys = tuple(key for key in leaving.keys_out(connection, place) if column in key.columns)
    where = f"{rendered(place.name)}, {rendered(column)}"
    before = "None" if found.default is None else f"sa.text({statement(found.default)})"
    given = [] if default is None else [_default(place, column, f"sa.text({statement(default)})")]
    return Draft(
        change=Change(change_name("drop", place.name, column, name=name), removes=Hold(place, [column])),
        expand=Half(
            summary=f"drop {place}.{column} (expand)",
            upgrade=[*given, "op.begin_change(change)  # holds the column until the contract"],
            downgrade=["op.end_change(change)", *([_default(place, column, before)] if given else [])],
        ),
        contract=Half(
            summary=f"drop {place}.{column} (contract)",
            seal=[
                f"op.unseal_foreign_key({rendered(key.name)}, {rendered(place.spelled)}, {rendered(key.definition)})"
                for key in keys
            ],
            upgrade=[
                "op.assert_contract(change)  # refused until the rollback window has expired",
                "op.end_change(change)  # lets the column go",
                f"op.drop_column({where}{in_schema(place)})",
            ],
            downgrade=_restore(connection, place, found, default),
        ),
        notes=_notes(connection, place, column),
    )


def _default(table: Table, column: str, value: str) -> str:
    return f"op.alter_column({rendered(table.name)}, {rendered(column)}, server_default={value}{in_schema(table)})"


def _check_unwritten(connection: Connection, table: Table, column: catalog.Column, default: str | None) -> None:
    """Make sure that a row can be written without the column, as the new release will."""
    place = f"{table}.{column.name}"
    if column.generated or column.identity:
        if default is not None:
            msg = f"{place} gives itself its value, and takes no default"
            raise MappingError(msg, hint="leave out --default")
        return
    if default is not None:
        clause.value(connection, table, column, default, alone=True)
    value = default if default is not None else column.default
    if value is None and column.not_null:
        msg = f"{place} is NOT NULL and has no default: no release could stop writing it"
        raise MappingError(msg, hint="--default SQL, which the old release can read until the contract")
    _try(connection, table, column, value)


def _try(connection: Connection, table: Table, column: catalog.Column, value: str | None) -> None:
    """Write such a row into an empty temporary table of the same name, with the column's own checks."""
    copy, name = sql.Identifier("pg_temp", table.name), sql.Identifier(column.name)
    alone = leaving.unique_alone(connection, table, column.name) if value is not None else ()
    checks = leaving.checks_alone(connection, table, column.name)
    savepoint = connection.begin_nested()
    try:
        default = sql.SQL(" DEFAULT ({})").format(sql.SQL(value)) if value is not None else sql.SQL("")
        null = sql.SQL(" NOT NULL" if column.not_null else "")
        kind = sql.SQL(column.type)
        make = sql.SQL("CREATE TEMP TABLE {} ({} {}{}{})")
        _run(connection, make.format(sql.Identifier(table.name), name, kind, default, null))
        for check in checks:
            add = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} {}")
            _run(connection, add.format(copy, sql.Identifier(check.name), sql.SQL(check.definition)))
        for index in alone:
            _run(connection, sql.SQL("CREATE UNIQUE INDEX {} ON {} ({})").format(sql.Identifier(index), copy, name))
        for _ in range(2 if alone else 1):
            _run(connection, sql.SQL("INSERT INTO {} DEFAULT VALUES").format(copy))
    except DBAPIError as exc:
        msg = f"a release that does not write {table}.{column.name} would fail: {clause.reason(exc)}"
        raise MappingError(msg, hint="--default SQL with a value that these rules allow") from exc
    finally:
        savepoint.rollback()


def _run(connection: Connection, composed: sql.Composed) -> None:
    connection.exec_driver_sql(composed.as_string().replace("%", "%%"))


def _restore(connection: Connection, table: Table, column: catalog.Column, default: str | None) -> list[str]:
    """The column as it was, but for its values; indexes and constraints with it."""
    if column.generated or column.identity:
        # the pair's way back says so to whoever would take it
        return [f'raise NotImplementedError("the values of {column.name} made themselves, and cannot be brought back")']
    value = default if default is not None else column.default
    lines = [add_column(table, column, column.name)]
    if value is not None:
        lines.append(_default(table, column.name, f"sa.text({statement(value)})"))
        fill = f"UPDATE {qualified(table)} SET {quote(column.name)} = DEFAULT"
        lines.append(execute(fill))
    if column.not_null:
        where = f"{rendered(table.name)}, {rendered(column.name)}"
        lines.append(f"op.alter_column({where}, nullable=False{in_schema(table)})")
    lines += [
        execute(index.definition.replace(" ON ONLY ", " ON ", 1))
        for index in catalog.indexes(connection, table, column.name)
        if index.constraint is None
    ]
    lines += [
        execute(f"ALTER TABLE {qualified(table)} ADD CONSTRAINT {quote(found.name)} {found.definition}")
        for found in catalog.constraints(connection, table, column.name)
        if found.own and found.kind != "n"
    ]
    return lines + [execute(made) for made in leaving.statistics(connection, table, column.name)]


def _notes(connection: Connection, table: Table, column: str) -> tuple[str, ...]:
    notes = [f"{what} goes with it" for what in leaving.along(connection, table, column)]
    notes += [
        f"the contract is refused until this is changed or dropped: {what}"
        for what in catalog.dependents(connection, table, [column])
    ]
    notes += [
        f"publication {name} sends it: contract here before the subscriber drops it"
        for name in leaving.published(connection, table)
    ]
    children = leaving.facts(connection, table).children
    if children:
        notes.append(f"it goes from {', '.join(children)} too, which inherit it")
    return tuple(notes)
