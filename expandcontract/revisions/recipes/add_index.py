"""``add-index``: built concurrently by the seal, leaf by leaf where the table is partitioned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.change import Change, check_name
from expandcontract.core.mapping import Table
from expandcontract.core.phase import Kind
from expandcontract.errors import MappingError, UnknownNameError, UsageError
from expandcontract.pg import catalog, parsed, relation
from expandcontract.pg.probe import reason, run
from expandcontract.revisions.recipes import standing
from expandcontract.revisions.render import Draft, Half, quote, rendered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

COPY = sql.Identifier("pg_temp", "expandcontract_copy")
CHILDREN = "tables that inherit from {table} get no index by this: each has indexes of its own"


def draft(  # noqa: PLR0913  # one a flag
    connection: Connection,
    table: str,
    columns: Sequence[str] = (),
    *,
    expression: Sequence[str] = (),
    unique: bool = False,
    method: str = "btree",
    where: str | None = None,
    include: Sequence[str] = (),
    index: str | None = None,
    name: str | None = None,
) -> Draft:
    """The change that adds an index.

    Args:
        connection: To a database that has the table.
        table: ``table`` or ``schema.table``.
        columns: The columns of its key, in order.
        expression: Parts of its key after the columns: ``lower(nick)``, ``at DESC NULLS LAST``.
        unique: Refused: uniqueness is a rule, and takes effect as one.
        method: Its access method.
        where: Its predicate.
        include: Columns that it only carries along.
        index: Its name; default ``ix_table_columns``.
        name: The change's name; default the index's.

    Returns:
        An expand alone, of kind ``filled``: it ends once the index is valid.

    Raises:
        UnknownNameError: There is no such table or column.
        UsageError: It shall be unique, has no key, or is there already.
        MappingError: PostgreSQL cannot make such an index, or its name is taken.
    """
    if unique:
        msg = "a unique index is a rule that the running release might break"
        raise UsageError(msg, hint=f"ec new add-unique {table} {' '.join(columns)}")
    if not columns and not expression:
        msg = "an index wants a column or an --expression"
        raise UsageError(msg, hint="ec new add-index TABLE COLUMN…")
    place = Table.parse(table)
    traits = relation.traits(connection, place)
    for column in (*columns, *include):
        catalog.column(connection, place, column)
    tail = _definition(connection, place, (columns, expression, include), method, where)
    called = index or "_".join(["ix", place.name, *columns] + ["expression"] * (not columns))
    _free(connection, place, called, tail)
    notes = (CHILDREN.format(table=place),) if traits.inherited else ()
    expand = Half(
        summary=f"add index {called} on {place}",
        upgrade=["op.begin_change(change)  # the index itself is built by seal()"],
        seal=[f"op.seal_index({rendered(called)}, {rendered(place.spelled)}, {rendered(tail)})"],
        downgrade=["op.end_change(change)", standing.drop_index(called, place)],
    )
    declared = Change(check_name(name or standing.named(called)), touches=place.spelled, kind=Kind.FILLED)
    return Draft(change=declared, expand=expand, notes=notes)


def _free(connection: Connection, table: Table, name: str, tail: str) -> None:
    standing.check_length(name)
    query = text("SELECT to_regclass(format('%I.%I', cast(:s AS text), cast(:n AS text))) IS NOT NULL")
    if connection.execute(query, {"s": table.schema, "n": name}).scalar_one():
        msg = f"{table.schema} has a relation {name!r} already"
        raise MappingError(msg, hint="choose another with --index")
    if (same := relation.same_index(connection, table, tail)) is not None:
        msg = f"{table} has that index already: {same}"
        raise UsageError(msg, hint=f"\\d {table} in psql lists them")


def _definition(
    connection: Connection,
    table: Table,
    parts: tuple[Sequence[str], Sequence[str], Sequence[str]],
    method: str,
    where: str | None,
) -> str:
    """What stands after USING, as PostgreSQL itself writes it; tried on an empty temporary copy of the table."""
    columns, expressions, include = parts
    key = [*map(quote, columns), *map(_element, expressions)]
    tail = f"{quote(method)} ({', '.join(key)})"
    tail += f" INCLUDE ({', '.join(map(quote, include))})" if include else ""
    tail += f" WHERE {parsed.expression(where, '--where')}" if where is not None else ""
    savepoint = connection.begin_nested()
    try:
        like = sql.SQL("CREATE TEMP TABLE expandcontract_copy (LIKE {} INCLUDING GENERATED)")
        run(connection, like.format(sql.Identifier(table.schema, table.name)))
        run(connection, sql.SQL("CREATE INDEX expandcontract_tried ON {} USING {}").format(COPY, sql.SQL(tail)))
        query = "SELECT pg_get_indexdef('pg_temp.expandcontract_tried'::regclass)"
        return str(connection.exec_driver_sql(query).scalar_one()).split(" USING ", 1)[1]
    except DBAPIError as exc:
        said = reason(exc)
        msg = f"PostgreSQL cannot make the index {tail}: {said}"
        if "does not exist" in said and "access method" not in said:
            raise UnknownNameError(msg, hint=f"\\d {table} in psql lists the columns") from exc
        raise MappingError(msg, hint="an index may use only immutable functions of the same row") from exc
    finally:
        savepoint.rollback()


def _element(given: str) -> str:
    """One part of a key: as given, or in the brackets that an expression other than a call needs."""
    try:
        found = parsed.statements(f"CREATE INDEX ON t ({given}\n)", "--expression")
    except MappingError:
        return f"({parsed.expression(given, '--expression')})"
    if len(found) > 1 or len(found[0].tree.index_params) != 1 or "--" in given or "/*" in given:
        msg = f"--expression is not one part of a key: {given}"
        raise MappingError(msg, hint="give each with an --expression of its own")
    return given
