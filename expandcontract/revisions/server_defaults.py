"""Compares a column's default with the models', where ``env.py`` says ``compare_server_default=True``.

Alembic asks the database whether the two values are equal. That calls their functions, fails for a quote in a plain
string and for types without equality, as ``json``, and takes two volatile calls for different. Here PostgreSQL writes
both expressions and the texts are compared; values are only where neither calls anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from expandcontract.pg.retry import sqlstate

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy import Connection

DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
READ_ONLY = "25006"
PROBE = sql.Identifier("pg_temp", "expandcontract_probe")
WRITTEN = """SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef AS d
    WHERE d.adrelid = 'pg_temp.expandcontract_probe'::regclass"""
CALL = re.compile(r'[\w"]\(')


def compare_exactly(migration: MigrationContext) -> None:
    """Let Alembic, where it compares defaults at all, compare them as PostgreSQL writes them.

    Args:
        migration: Alembic's context, configured and connected.
    """
    impl: Any = migration.impl
    plain = impl.compare_server_default

    def compare(inspected: Any, column: Any, rendered: str | None, written: str | None) -> bool:
        found = None
        numbers = column.primary_key and column is column.table._autoincrement_column  # noqa: SLF001  # as Alembic asks
        if not numbers and None not in (rendered, written) and migration.connection is not None:
            found = differs(migration.connection, inspected, column.server_default.arg, str(written))
        return bool(plain(inspected, column, rendered, written) if found is None else found)

    impl.compare_server_default = compare


def differs(connection: Connection, inspected: Any, models: Any, written: str) -> bool | None:
    """Whether a default is another than that of the models; ``None`` where nothing can be tried here.

    An empty temporary table is made in a savepoint and rolled back.

    Args:
        connection: To the database that is compared.
        inspected: The column as it is there.
        models: The default that the models have.
        written: The default that is there, as PostgreSQL writes it.
    """
    savepoint = connection.begin_nested()
    try:
        table = sql.Identifier(inspected.table.schema or "public", inspected.table.name)
        like = sql.SQL("CREATE TEMP TABLE expandcontract_probe (LIKE {})").format(table)
        default = sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}")
        _run(connection, like)
        _run(connection, default.format(PROBE, sql.Identifier(inspected.name), sql.SQL(_expression(models))))
        wanted = str(connection.execute(text(WRITTEN)).scalar_one())
        if wanted == written or CALL.search(wanted) or CALL.search(written):
            return wanted != written
        return not _run(connection, sql.SQL("SELECT ({}) = ({})").format(sql.SQL(written), sql.SQL(wanted)))
    except DBAPIError as exc:
        return None if sqlstate(exc) == READ_ONLY else True
    finally:
        savepoint.rollback()


def _run(connection: Connection, composed: sql.Composed) -> Any:
    found = connection.exec_driver_sql(composed.as_string().replace("%", "%%"))
    return found.scalar_one() if found.returns_rows else None


def _expression(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
