"""A column that is to be: its type and default, tried on an empty temporary table, and the source that adds it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.errors import MappingError
from expandcontract.pg import parsed
from expandcontract.pg.probe import reason, run
from expandcontract.revisions.recipes.standing import place, schema_argument
from expandcontract.revisions.render import quote, rendered, sqlalchemy_type, statement

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.core.mapping import Table

PROBE = sql.Identifier("pg_temp", "expandcontract_probe")
SAMPLED = 100_000  # rows that an expression is tried on
STATE = """SELECT pg_relation_filenode('pg_temp.expandcontract_probe'::regclass) AS file,
    format_type(a.atttypid, a.atttypmod) AS type,
    EXISTS (SELECT FROM pg_constraint AS c WHERE c.contypid = a.atttypid) AS domain
    FROM (SELECT) AS one LEFT JOIN pg_attribute AS a
    ON a.attrelid = 'pg_temp.expandcontract_probe'::regclass AND a.attname = 'c'"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What adding the column does.

    Attributes:
        type: The type as ``format_type`` writes it.
        rewrites: Whether ADD COLUMN with this default would rewrite the table.
        empty: Whether the default is NULL; only told where nothing is rewritten.
    """

    type: str
    rewrites: bool
    empty: bool


def tried(connection: Connection, kind: str, default: str | None) -> Tried:
    """Add the column to an empty temporary table and see; leaves nothing behind, evaluates nothing volatile.

    Raises:
        MappingError: The type does not exist or says more than a type, or the default cannot be one of it.
    """
    parsed.column_type(kind)
    savepoint = connection.begin_nested()
    try:
        run(connection, sql.SQL("CREATE TEMP TABLE expandcontract_probe ()"))
        before = connection.execute(text(STATE)).one()
        run(connection, sql.SQL("ALTER TABLE {} ADD COLUMN c {}").format(PROBE, sql.SQL(kind)))
        bare = connection.execute(text(STATE)).one()
        if bare.file != before.file or bare.domain:
            msg = f"a column of type {bare.type} would rewrite the table: its check looks at every row"
            raise MappingError(msg, hint="add it with the base type, and the rule with ec new add-check")
        run(connection, sql.SQL("ALTER TABLE {} DROP COLUMN c").format(PROBE))
        value = sql.SQL("" if default is None else f" DEFAULT {default}")
        run(connection, sql.SQL("ALTER TABLE {} ADD COLUMN c {}{}").format(PROBE, sql.SQL(kind), value))
        after = connection.execute(text(STATE)).one()
        rewrites = after.file != before.file
        return Tried(type=bare.type, rewrites=rewrites, empty=default is None or (not rewrites and _empty(connection)))
    except DBAPIError as exc:
        given = f" with default {default}" if default is not None else ""
        msg = f"a column of type {kind}{given}: {reason(exc)}"
        raise MappingError(msg, hint="\\dT in psql lists the types") from exc
    finally:
        savepoint.rollback()


def _empty(connection: Connection) -> bool:
    run(connection, sql.SQL("INSERT INTO {} DEFAULT VALUES").format(PROBE))
    return bool(connection.execute(text("SELECT c IS NULL FROM pg_temp.expandcontract_probe")).scalar_one())


def gives_values(connection: Connection, table: Table, kind: str, fill: str) -> None:
    """Make sure that a fill's expression gives a value of the type for every row there is.

    An immutable expression is tried on the first 100,000 rows; another is only parsed, as it might leave traces.

    Raises:
        MappingError: It does not parse, is of another type, fails on a row, or is NULL for some.
    """
    alias, source = sql.Identifier(table.name), sql.Identifier(table.schema, table.name)
    rows = SAMPLED if _immutable(connection, table, fill) else 0
    savepoint = connection.begin_nested()
    try:
        run(connection, sql.SQL("CREATE TEMP TABLE expandcontract_probe (c {}, row tid)").format(sql.SQL(kind)))
        probe = (
            "INSERT INTO {} SELECT ({}), expandcontract_row"
            " FROM (SELECT *, ctid AS expandcontract_row FROM {} LIMIT {}) AS {}"
        )
        filled = sql.SQL(probe).format(PROBE, sql.SQL(fill), source, sql.Literal(rows), alias)
        run(connection, filled)
        lacking = connection.execute(text("SELECT row::text FROM pg_temp.expandcontract_probe WHERE c IS NULL LIMIT 5"))
        first = ", ".join(lacking.scalars())
    except DBAPIError as exc:
        msg = f"the fill ({fill}): {reason(exc)}"
        raise MappingError(msg, hint="it may read only columns of the same row") from exc
    finally:
        savepoint.rollback()
    if first:
        msg = f"the fill ({fill}) is NULL for rows of {table}, first by ctid: {first}"
        raise MappingError(msg, hint="wrap it: coalesce(…, a value)")


def _immutable(connection: Connection, table: Table, fill: str) -> bool:
    savepoint = connection.begin_nested()
    try:
        like = sql.SQL("CREATE TEMP TABLE expandcontract_probe (LIKE {})")
        run(connection, like.format(sql.Identifier(table.schema, table.name)))
        run(connection, sql.SQL("CREATE INDEX ON {} ((({}) IS NULL))").format(PROBE, sql.SQL(fill)))
    except DBAPIError:
        return False
    else:
        return True
    finally:
        savepoint.rollback()


def add(table: Table, name: str, kind: str, default: str | None, *, not_null: bool, comment: str | None) -> list[str]:
    """The lines that add the column in one statement, and comment on it."""
    known = sqlalchemy_type(kind)
    if known is None:
        tail = ("" if default is None else f" DEFAULT {default}") + (" NOT NULL" if not_null else "")
        lines = [f"op.execute({statement(f'ALTER TABLE {place(table)} ADD COLUMN {quote(name)} {kind}{tail}')})"]
        if comment is not None:
            where = f"{rendered(table.name)}, {rendered(name)}"
            lines.append(f"op.alter_column({where}, comment={rendered(comment)}{schema_argument(table)})")
        return lines
    said = [rendered(name), known]
    said += [] if default is None else [f"server_default=sa.text({statement(default)})"]
    said += ["nullable=False"] if not_null else []
    said += [] if comment is None else [f"comment={rendered(comment)}"]
    return [f"op.add_column({rendered(table.name)}, sa.Column({', '.join(said)}){schema_argument(table)})"]


def default(table: Table, name: str, value: str | None) -> str:
    """The line that sets a column's default, or drops it."""
    given = "None" if value is None else f"sa.text({statement(value)})"
    return f"op.alter_column({rendered(table.name)}, {rendered(name)}, server_default={given}{schema_argument(table)})"
