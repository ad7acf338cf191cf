"""The default of a column that takes the place of another: the same, or what the mapping makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.errors import MappingError
from expandcontract.revisions.recipes import casts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from expandcontract.core.mapping import Mapping
    from expandcontract.pg.catalog import Column

PLAIN = {"smallint", "integer", "bigint", "boolean"}
HINT = "drop the default first, or give it a value that the new type takes, with a pair of its own"


def carried_default(connection: Connection, old: Column, new: Column, mapping: Mapping) -> str | None:
    """The new column's default as SQL.

    A constant is sent through the mapping. What is computed for each row, as ``now()``, is cast where the types have a
    safe cast; the triggers would give it the mapping's value only while both columns exist.

    Args:
        connection: Left as it was.
        old: The old column, with its default.
        new: The new one, with its type.
        mapping: From the one to the other.

    Raises:
        MappingError: The default is no constant, and there is no safe cast; or the mapping fails on it.
    """
    if old.default is None or old.type == new.type:
        return old.default
    savepoint = connection.begin_nested()
    try:
        if _constant(connection, old):
            return _sent(connection, old, new, mapping)
        if casts.safe(old.type, new.type):
            return f"({old.default})::{new.type}"
    except DBAPIError as exc:
        msg = (
            f"the default {old.default} of {old.name} cannot become one of {new.type}: {str(exc.orig).splitlines()[0]}"
        )
        raise MappingError(msg, hint=HINT) from exc
    finally:
        savepoint.rollback()
    msg = f"the default {old.default} of {old.name} is computed for each row, and cannot become one of {new.type}"
    raise MappingError(msg, hint=HINT)


def _constant(connection: Connection, old: Column) -> bool:
    """Whether the default is always the same value; PostgreSQL indexes nothing else."""
    inner = connection.begin_nested()
    try:
        _run(connection, sql.SQL("CREATE TEMP TABLE expandcontract_default (c {})").format(sql.SQL(old.type)))
        index = sql.SQL("CREATE INDEX ON pg_temp.expandcontract_default ((({})::{} IS NULL))")
        _run(connection, index.format(sql.SQL(old.default or "NULL"), sql.SQL(old.type)))
    except DBAPIError:
        return False
    finally:
        inner.rollback()
    return True


def _sent(connection: Connection, old: Column, new: Column, mapping: Mapping) -> str | None:
    given = sql.SQL("(SELECT ({})::{} AS {}) AS {}").format(
        sql.SQL(old.default or "NULL"),
        sql.SQL(old.type),
        sql.Identifier(old.name),
        sql.Identifier(mapping.table.name),
    )
    query = sql.SQL("SELECT quote_literal((({})::{})::text) AS quoted FROM {}").format(
        sql.SQL(mapping.forward[new.name]), sql.SQL(new.type), given
    )
    found: str | None = connection.execute(text(query.as_string().replace(":", "\\:"))).scalar_one()
    if found is None:
        return None
    return found.strip("'") if new.type in PLAIN else f"{found}::{new.type}"


def _run(connection: Connection, statement: sql.Composed) -> None:
    connection.exec_driver_sql(statement.as_string().replace("%", "%%"))
