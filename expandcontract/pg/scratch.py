"""A scratch database: that it is not the target, that it is empty, and what of the target is told without its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.mapping import Table
from expandcontract.errors import UsageError
from expandcontract.pg.connect import hot, place
from expandcontract.pg.probe import run
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import URL, Connection

QUERIES = load("expandcontract.pg", "scratch.sql")
MARK = "ec rehearse"
SHOWN = 3


def identity(connection: Connection) -> tuple[str, int]:
    """Which cluster and which database of it this is, whatever name or address led here.

    https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-PG-CONTROL-SYSTEM
    """
    for query in ("identity", "session"):  # a role may have been forbidden to read the control file
        try:
            row = connection.execute(text(QUERIES[query])).one()
        except DBAPIError:
            connection.rollback()
            continue
        return str(row.system), int(row.database)
    msg = f"{place(connection.engine.url)} does not tell which server it is"
    raise UsageError(msg, hint="GRANT EXECUTE ON FUNCTION pg_control_system() TO the role that rehearses")


def refuse_target(scratch: Connection, target: Connection) -> None:
    """Make sure that the two are not one database.

    Raises:
        UsageError: They are.
    """
    if identity(scratch) == identity(target):
        msg = f"--dsn leads to the target itself, {place(target.engine.url)}; a rehearsal never runs there"
        raise UsageError(msg, hint="createdb scratch, then ec rehearse CHANGE --dsn postgresql://…/scratch")


def empty(scratch: Connection, *, allowed: bool) -> None:
    """Make sure that a database is empty, or empty it where that is ``allowed``; the caller owns the transaction.

    Takes ACCESS EXCLUSIVE on everything in it where it is emptied.

    Raises:
        UsageError: It is not empty and may not be emptied, or it has a ledger that no rehearsal made.
    """
    found = list(scratch.execute(text(QUERIES["own"])).scalars())
    schemas = list(scratch.execute(text(QUERIES["schemas"])).scalars())
    if not found and set(schemas) <= {"public"}:
        return
    where = place(scratch.engine.url)
    ours = scratch.execute(text(QUERIES["rehearsed"])).scalar_one_or_none()
    if "expandcontract" in schemas and not ours:
        msg = f"{where} has a ledger that no rehearsal made: changes are led there, and it is not emptied"
        raise UsageError(msg, hint="name another database with --dsn")
    if not allowed:
        more = "" if len(found) <= SHOWN else f" and {len(found) - SHOWN} more"
        msg = f"{where} is not empty: {', '.join((found or schemas)[:SHOWN])}{more}"
        raise UsageError(msg, hint="name an empty database, or let all of it be dropped with --empty-it")
    for schema in schemas:
        run(scratch, sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
    run(scratch, sql.SQL("CREATE SCHEMA public"))


def mark(scratch: Connection, change: str) -> None:
    """Say in the database itself that its ledger is a rehearsal's; the caller owns the transaction."""
    comment = sql.SQL("COMMENT ON SCHEMA expandcontract IS {}").format(sql.Literal(f"{MARK} {change}"))
    run(scratch, comment)


def roles(connection: Connection) -> frozenset[str]:
    """The roles of the cluster, without PostgreSQL's own."""
    return frozenset(connection.execute(text(QUERIES["roles"])).scalars())


def create_roles(scratch: Connection, names: Iterable[str]) -> None:
    """Create roles that may not log in; the caller owns the transaction."""
    for name in names:
        run(scratch, sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))


def major(connection: Connection) -> int:
    """The server's major version."""
    return int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000


def table(connection: Connection, schema: str | None, name: str) -> Table | None:
    """A table by name; without ``schema`` the one in the search path. ``None`` where it is not there."""
    relation = sql.Identifier(name) if schema is None else sql.Identifier(schema, name)
    row = connection.execute(text(QUERIES["table"]), {"relation": relation.as_string()}).one_or_none()
    return None if row is None else Table(schema=row.schema, name=row.name)


def exists(connection: Connection, wanted: Table) -> bool:
    """Whether there is a relation of that name."""
    return table(connection, wanted.schema, wanted.name) is not None


def rough_rows(connection: Connection, wanted: Table) -> int | None:
    """About how many rows a table has, by its statistics; ``None`` where it was never analysed."""
    relation = sql.Identifier(wanted.schema, wanted.name).as_string()
    rows: int | None = connection.execute(text(QUERIES["rough_rows"]), {"relation": relation}).scalar_one()
    return rows


def columns(connection: Connection, schema: str, name: str) -> list[str]:
    """The columns of a table, in their order."""
    relation = sql.Identifier(schema, name).as_string()
    return list(connection.execute(text(QUERIES["columns"]), {"relation": relation}).scalars())


def copy_rows(source: URL, to: URL, table: sql.Identifier, columns: Iterable[str]) -> None:
    """Copy a small table's rows as they are; reads the source under ACCESS SHARE."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    with (
        hot(source, command="rehearse") as reading,
        hot(to, command="rehearse") as writing,
        reading.cursor() as out,
        writing.cursor() as into,
        out.copy(sql.SQL("COPY (SELECT {} FROM {}) TO STDOUT").format(names, table)) as rows,
        into.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(table, names)) as copied,
    ):
        for block in rows:
            copied.write(block)
