"""Checks of a mapping's SQL expressions, before anything is changed.

An index expression must be immutable and may hold no subquery or aggregate; PostgreSQL itself is asked, on an empty
temporary table that has just the columns allowed. https://www.postgresql.org/docs/current/xfunc-volatility.html
"""

from __future__ import annotations

from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from psycopg import errors, sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.errors import MappingError
from expandcontract.pg import computed
from expandcontract.pg.catalog import columns, table_oid
from expandcontract.pg.parsed import single

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Mapping as MappingABC

    from sqlalchemy import Connection

    from expandcontract.core.fill import Fill
    from expandcontract.core.mapping import Mapping, Table
    from expandcontract.core.shape import Shape


def check(connection: Connection, shape: Shape, made: Sequence[str] = ()) -> None:
    """Make sure that every expression of the shape can be used; leaves nothing behind.

    Args:
        connection: To the target database.
        shape: As a change declares it.
        made: Statements that make what the expressions may name and is not there yet.

    Raises:
        MappingError: With the expression, and what PostgreSQL says of it.
        UnknownNameError: A table does not exist.
    """
    with making(connection, made):
        for mapping in shape.mappings:
            check_mapping(connection, mapping)
        for fill in shape.fills:
            check_fill(connection, fill)


@contextmanager
def making(connection: Connection, statements: Sequence[str]) -> Iterator[None]:
    """What the statements make is there within, and rolled back afterwards.

    Raises:
        MappingError: One of them cannot be run.
    """
    savepoint = connection.begin_nested()
    try:
        for statement in statements:
            _made(connection, statement)
        yield
    finally:
        savepoint.rollback()


def _made(connection: Connection, statement: str) -> None:
    try:
        connection.exec_driver_sql(statement.replace("%", "%%"))
    except DBAPIError as exc:
        msg = f"{statement.strip()}: {str(exc.orig).splitlines()[0]}"
        raise MappingError(msg, hint="the expand could not make it either") from exc


def check_fill(connection: Connection, fill: Fill) -> None:
    """Make sure that a fill's expressions and condition parse over what they may read; they may be volatile.

    Columns that do not exist yet may be filled, not read. A function is only asked what it reads and writes.

    Raises:
        MappingError: With the expression, and what PostgreSQL says of it.
        UnknownNameError: The table does not exist.
    """
    known = {column.name for column in columns(connection, fill.table)}
    if fill.function is not None:
        computed.known(fill, known, to_come=fill.writes)
    others = {name: sql.Identifier(other.schema, other.name) for name, other in fill.join.items()}
    for other in fill.join.values():
        _lockable(connection, other)
    for name, expression in fill.values.items():
        _parses(connection, fill, others, f"the expression for {name}", expression)
    if fill.on is not None:
        _parses(connection, fill, others, "the condition of its join", fill.on)
    if fill.where is not None and known.issuperset(fill.columns):
        _parses(connection, fill, {}, "its condition", fill.where)


def _lockable(connection: Connection, table: Table) -> None:
    """Make sure that rows of a joined table can be locked, as the backfill does; none of them is.

    A view with an aggregate would be read without a word and without a lock.
    """
    place = sql.Identifier(table.schema, table.name)
    query = text("SELECT relkind::text FROM pg_class WHERE oid = to_regclass(:name)")
    if connection.execute(query, {"name": place.as_string()}).scalar_one_or_none() in {"v", "m", "f"}:
        msg = f"{table}, which a fill joins, is no table, so its rows cannot be locked while they are read"
        raise MappingError(msg, hint="join the tables that it is made of")
    table_oid(connection, table)
    savepoint = connection.begin_nested()
    try:
        _run(connection, sql.SQL("SELECT FROM {} WHERE false FOR SHARE").format(place))
    except DBAPIError as exc:
        msg = f"rows of {table}, which a fill joins, cannot be locked while they are read: {_reason(exc)}"
        hint = f"GRANT SELECT, UPDATE ON {place.as_string()} TO the role of this connection"
        raise MappingError(msg, hint=hint if isinstance(exc.orig, errors.InsufficientPrivilege) else None) from exc
    finally:
        savepoint.rollback()


def _parses(
    connection: Connection, fill: Fill, others: MappingABC[str, sql.Identifier], what: str, expression: str
) -> None:
    single(what, expression)
    places = {fill.table.name: sql.Identifier(fill.table.schema, fill.table.name), **others}
    probe = sql.SQL("CREATE TEMP TABLE expandcontract_probe AS SELECT ({}) AS found FROM {} WHERE false").format(
        sql.SQL(expression),
        sql.SQL(", ").join(sql.SQL("{} AS {}").format(at, sql.Identifier(name)) for name, at in places.items()),
    )
    savepoint = connection.begin_nested()
    try:
        _run(connection, probe)
    except DBAPIError as exc:
        msg = f"{what} ({expression}): {_reason(exc)}"
        joined = f", and those of {', '.join(others)}" if others else ""
        raise MappingError(msg, hint=f"it may read only columns of the same row{joined}") from exc
    finally:
        savepoint.rollback()


def check_mapping(
    connection: Connection, mapping: Mapping, types: MappingABC[str, str] = MappingProxyType({})
) -> MappingABC[str, str]:
    """Make sure that both sides parse, are immutable and read only the other side's columns. Leaves nothing behind.

    Args:
        connection: To a database that has the old columns.
        mapping: The mapping.
        types: Of new columns that do not exist yet; one that is not named is taken to have the type that its forward
            expression yields.

    Returns:
        The type of every new column.

    Raises:
        MappingError: With the expression, and what PostgreSQL says of it.
        UnknownNameError: The table does not exist.
    """
    for name, expression in (*mapping.forward.items(), *mapping.reverse.items()):
        single(f"the expression for {name}", expression)
    known = {column.name: column.type for column in columns(connection, mapping.table)}
    missing = [name for name in mapping.old if name not in known]
    if missing:
        msg = f"the mapping names {', '.join(missing)}, which {mapping.table} does not have"
        raise MappingError(msg, hint="ec status")
    known = {**types, **known}
    old = {name: known[name] for name in mapping.old}
    new = check_side(connection, old, mapping.forward, known)
    check_side(connection, new, mapping.reverse, known)
    return new


def yields(connection: Connection, table: Table, given: MappingABC[str, str], name: str, expression: str) -> str:
    """The type that an expression yields, as ``format_type`` writes it.

    Args:
        connection: Left as it was.
        table: Whose name the expression may put before a column.
        given: The columns that it may read, with their types.
        name: The column that it is for, as the error says it.
        expression: What was given.

    Raises:
        MappingError: It does not parse, or reads something else.
    """
    single(f"the expression for {name}", expression)
    columns_ = sql.SQL(", ").join(
        sql.SQL("NULL::{} AS {}").format(sql.SQL(kind), sql.Identifier(column)) for column, kind in given.items()
    )
    create = sql.SQL("CREATE TEMP TABLE expandcontract_yielded AS SELECT ({}) AS c FROM (SELECT {}) AS {}")
    query = (
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = 'pg_temp.expandcontract_yielded'::regclass AND attname = 'c'"
    )
    savepoint = connection.begin_nested()
    try:
        _run(connection, create.format(sql.SQL(expression), columns_, sql.Identifier(table.name)) + sql.SQL(" LIMIT 0"))
        return str(connection.execute(text(query)).scalar_one())
    except DBAPIError as exc:
        msg = f"the expression for {name} ({expression}): {_reason(exc)}"
        raise MappingError(msg, hint="it may read only the other side's columns of the same row") from exc
    finally:
        savepoint.rollback()


def check_side(
    connection: Connection, given: MappingABC[str, str], wanted: MappingABC[str, str], known: MappingABC[str, str]
) -> dict[str, str]:
    """Make sure that expressions over these columns parse, are immutable, and give what is wanted.

    Args:
        connection: To any database that knows the types and functions.
        given: The columns that may be read, with their types.
        wanted: Column name to its expression.
        known: Types of wanted columns; one that is not named has the type that its expression yields.

    Returns:
        The type of every wanted column.

    Raises:
        MappingError: With the expression, and what PostgreSQL says of it.
    """
    types = {}
    for name, expression in wanted.items():
        savepoint = connection.begin_nested()
        try:
            types[name] = _check(connection, given, name, expression, known)
        except DBAPIError as exc:
            msg = f"the expression for {name} ({expression}): {_reason(exc)}"
            raise MappingError(
                msg,
                hint="it may read only the other side's columns of the same row, through immutable functions",
            ) from exc
        finally:
            savepoint.rollback()
    return types


def _check(
    connection: Connection, given: MappingABC[str, str], name: str, expression: str, known: MappingABC[str, str]
) -> str:
    listed = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in given.items()
    )
    probe = sql.Identifier("pg_temp", "expandcontract_probe")
    _run(connection, sql.SQL("CREATE TEMP TABLE expandcontract_probe ({})").format(listed))
    if name in known:
        wanted = sql.SQL("CREATE TEMP TABLE expandcontract_target (target {})").format(sql.SQL(known[name]))
        _run(connection, wanted)
    # as the triggers' function has it
    _run(connection, sql.SQL("SET LOCAL search_path = pg_catalog, pg_temp"))
    _run(
        connection,
        sql.SQL("CREATE VIEW pg_temp.expandcontract_probed AS SELECT ({}) AS found FROM {}").format(
            sql.SQL(expression), probe
        ),
    )
    _run(connection, sql.SQL("CREATE INDEX ON {} ((({}) IS NULL))").format(probe, sql.SQL(expression)))
    found = connection.execute(
        text(
            "SELECT format_type(atttypid, atttypmod) FROM pg_attribute"
            " WHERE attrelid = 'pg_temp.expandcontract_probed'::regclass AND attname = 'found'"
        )
    ).scalar_one()
    if name in known:
        _run(connection, sql.SQL("INSERT INTO expandcontract_target SELECT found FROM pg_temp.expandcontract_probed"))
        return known[name]
    return str(found)


def _run(connection: Connection, statement: sql.Composed | sql.SQL) -> None:
    connection.exec_driver_sql(statement.as_string().replace("%", "%%"))


def _reason(exc: DBAPIError) -> str:
    said = str(exc.orig).splitlines()[0] if exc.orig else "it cannot be used"
    if "IMMUTABLE" in said:
        return "it is volatile, or its value depends on settings; the same row must always give the same value"
    if isinstance(exc.orig, errors.UndefinedFunction | errors.UndefinedObject):
        return f"{said} (names outside pg_catalog need their schema: public.f(x))"
    return said


def renamed(connection: Connection, expression: str, columns: MappingABC[str, tuple[str, str]]) -> str:
    """An expression with its columns under other names, as PostgreSQL writes it. Leaves nothing behind.

    Args:
        connection: To any database that knows the types and functions.
        expression: Over these columns.
        columns: Each one's type and its new name.

    Raises:
        MappingError: It does not parse over these columns.
    """
    listed = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, (kind, _) in columns.items()
    )
    check = sql.SQL("CREATE TEMP TABLE expandcontract_probe ({}, CONSTRAINT probe CHECK (({}) IS NULL))")
    savepoint = connection.begin_nested()
    try:
        _run(connection, check.format(listed, sql.SQL(expression)))
        for name, (_, other) in columns.items():
            rename = sql.SQL("ALTER TABLE pg_temp.expandcontract_probe RENAME COLUMN {} TO {}")
            _run(connection, rename.format(sql.Identifier(name), sql.Identifier(other)))
        query = "SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint WHERE conname = 'probe' AND conrelid = {}"
        place = "'pg_temp.expandcontract_probe'::regclass"
        found: str = connection.execute(text(query.format(place.replace(":", "\\:")))).scalar_one()
    except DBAPIError as exc:
        msg = f"the expression {expression}: {_reason(exc)}"
        raise MappingError(msg, hint="it may read only these columns: " + ", ".join(columns)) from exc
    finally:
        savepoint.rollback()
    return found.removeprefix("(").removesuffix(" IS NULL)")
