"""One number out of the user's own SQL, which can change nothing and is not waited for.

Its transaction is read only, and it runs as a prepared statement, which is one statement.
https://www.postgresql.org/docs/current/sql-set-transaction.html
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import psycopg

from expandcontract.core.guard import Measured
from expandcontract.errors import ConnectError
from expandcontract.pg.connect import hot

if TYPE_CHECKING:
    from sqlalchemy import URL


def measure(url: URL, query: str, within: timedelta) -> Measured:
    """What the query gives: its first column, and in the second how many requests that rests on.

    Args:
        url: The target database.
        query: Gives one row or none; an ``interval`` counts as seconds, NULL and no row are no value.
        within: ``statement_timeout``.
    """
    try:
        with hot(url, command="guard") as connection, connection.transaction():
            connection.execute("SET TRANSACTION READ ONLY")
            timeout = str(int(within.total_seconds() * 1000))
            connection.execute("SELECT set_config('statement_timeout', %s, true)", (timeout,))
            rows = connection.execute(query.encode(), prepare=True).fetchmany(2)
    except ConnectError as exc:
        return Measured(why=exc.message, fault=True)
    except psycopg.Error as exc:
        return Measured(why=f"PostgreSQL says: {str(exc).splitlines()[0]}", fault=True)
    if len(rows) > 1:
        return Measured(why="the query gives more than one row", fault=True)
    row = rows[0] if rows else ()
    try:
        value, requests = (*map(_number, row[:2]), None, None)[:2]
    except ValueError as exc:
        return Measured(why=f"the query gives {exc}, which is no number", fault=True)
    why = "" if value is not None else "the query gives NULL" if rows else "the query gives no row"
    return Measured(value=value, requests=requests, why=why)


def _number(cell: object) -> float | None:
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    if isinstance(cell, (int, float, Decimal)) and not isinstance(cell, bool):
        return float(cell)
    if cell is None:
        return None
    raise ValueError(repr(cell))
