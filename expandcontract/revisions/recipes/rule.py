"""What the recipes that tighten have in common: columns held until the contract, and a rule made then.

Nothing is forbidden before: the expand only holds the columns, the backfill only mends rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text

from expandcontract.core.change import Change
from expandcontract.core.fill import Fill
from expandcontract.core.naming import fits
from expandcontract.core.phase import Kind
from expandcontract.core.shape import Hold
from expandcontract.errors import MappingError
from expandcontract.pg import catalog, clause
from expandcontract.revisions.breaking import look_within
from expandcontract.revisions.recipes.wording import several
from expandcontract.revisions.render import Draft, Half

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table
    from expandcontract.revisions.operations import SealItem

STILL_BREAKING = """SELECT count(*) FROM (
    SELECT {others}(({value})::{kind}) AS {column} FROM {table} AS {name} WHERE {where}
) AS {name} WHERE {broken}"""
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that is to come over a table.

    Attributes:
        table: The table.
        columns: What it is about.
        item: What the contract makes.
        source: The line of ``seal()`` that asks for it.
        undo: The line that takes it away again.
        words: Of the pair's summary: ``make users.nick NOT NULL``.
    """

    table: Table
    columns: tuple[str, ...]
    item: SealItem
    source: str
    undo: str
    words: str


def draft(
    connection: Connection,
    rule: Rule,
    change: str,
    *,
    fill: Fill | None = None,
    others: tuple[Hold, ...] = (),
    notes: tuple[str, ...] = (),
) -> Draft:
    """The pair that brings a rule.

    Args:
        connection: Rows that break the rule now are counted through it.
        rule: What is to come.
        change: The change's name.
        fill: What mends rows that break it.
        others: What else must stay meanwhile.
        notes: What else there is to know.
    """
    refuse_inheritance(connection, rule.table)
    held = tuple(dict.fromkeys((*rule.columns, *(fill.columns if fill else ()))))
    return Draft(
        change=Change(change, fill=fill or (), keeps=(Hold(rule.table, held), *others), kind=Kind.TIGHTENED),
        expand=Half(
            summary=f"{rule.words} (expand)",
            upgrade=["op.begin_change(change)  # holds the columns; no rule is in force yet"],
            downgrade=["op.end_change(change)"],
        ),
        contract=Half(
            summary=f"{rule.words} (contract)",
            seal=[rule.source],
            upgrade=[
                "op.assert_contract(change)  # refused until the rollback window has expired",
                "op.end_change(change)  # lets the columns go",
            ],
            downgrade=[rule.undo],
        ),
        notes=(*_breaking(connection, rule, fill), *notes),
    )


def _breaking(connection: Connection, rule: Rule, fill: Fill | None) -> list[str]:
    found = look_within(connection, rule.item)
    if not found.rows:
        return []
    first = ", ".join(found.first[:SHOWN])
    breaks = f"{several(found.rows, 'row')} would break it now, first: {first}"
    if fill is not None:
        return [f"{breaks}; the backfill mends them, and the contract those written since"]
    return [f"{breaks}; the backfill refuses to end while there are any, and ec verify shows them"]


def mending(
    connection: Connection, table: Table, column: catalog.Column, expression: str, *, where: str, broken: str
) -> Fill:
    """A fill that mends rows which break a rule.

    Args:
        connection: The rows there are now are tried through it.
        table: The table.
        column: What is set.
        expression: To what.
        where: Which rows break the rule, over the table's columns.
        broken: The same over a row that was mended.

    Raises:
        MappingError: The expression cannot be used, or rows would break the rule with it as well.
    """
    clause.value(connection, table, column, expression)
    known = [found.name for found in catalog.columns(connection, table) if found.name != column.name]
    query = sql.SQL(STILL_BREAKING).format(
        others=sql.SQL("").join(sql.SQL("{}, ").format(sql.Identifier(name)) for name in known),
        value=sql.SQL(expression),
        kind=sql.SQL(column.type),
        column=sql.Identifier(column.name),
        table=sql.Identifier(table.schema, table.name),
        name=sql.Identifier(table.name),
        where=sql.SQL(where),
        broken=sql.SQL(broken),
    )
    connection.exec_driver_sql("SET LOCAL row_security = off")
    left = int(connection.exec_driver_sql(query.as_string().replace("%", "%%")).scalar_one())
    if left:
        msg = f"{several(left, 'row')} of {table} would break the rule even with {column.name} = ({expression})"
        raise MappingError(msg, hint="give another --fill")
    return Fill(table, {column.name: expression}, where=where)


def refuse_inheritance(connection: Connection, table: Table) -> None:
    """Refuse a table that others inherit from: their rows are in it, and are neither mended nor indexed with it.

    Raises:
        MappingError: With the names of the children.
    """
    query = text(
        "SELECT i.inhrelid::regclass::text FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = :oid AND NOT c.relispartition ORDER BY 1"
    )
    found = list(connection.execute(query, {"oid": catalog.table_oid(connection, table)}).scalars())
    if found:
        msg = f"{', '.join(found)} inherit from {table}, and rows of theirs would be left out"
        raise MappingError(msg, hint="bring the rule over each child first, or end the inheritance")


def free_name(connection: Connection, table: Table, name: str, *, relation: bool = False) -> str:
    """``name`` itself, where the table can have a constraint of that name.

    Args:
        connection: To the database.
        table: The table.
        name: Of the constraint.
        relation: Whether an index of that name comes with it.

    Raises:
        MappingError: It is too long, or taken.
    """
    if not fits(name):
        msg = f"{name!r} cannot name a constraint: PostgreSQL keeps 63 bytes of a name"
        raise MappingError(msg, hint="choose another with --constraint")
    query = text(
        "SELECT EXISTS (SELECT FROM pg_constraint WHERE conrelid = :oid AND conname = :name)"
        " OR :relation AND EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE n.nspname = :schema AND c.relname = :name)"
    )
    values = {"oid": catalog.table_oid(connection, table), "name": name, "schema": table.schema, "relation": relation}
    if connection.execute(query, values).scalar_one():
        msg = f"{table} has a constraint {name!r} already, or its schema a relation of that name"
        raise MappingError(msg, hint="choose another with --constraint")
    return name
