"""Compares a column's default with the models', where ``env.py`` says ``compare_server_default=True``.

Alembic asks the database whether the two values are equal. That evaluates them, fails for a quote in a plain string
and for types without equality, as ``json``, and takes two volatile calls for different. Here PostgreSQL writes both
expressions, and the texts are compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psycopg import sql
from sqlalchemy import DefaultClause, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from expandcontract.pg.retry import sqlstate

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext

DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
READ_ONLY = "25006"
PROBE = sql.Identifier("pg_temp", "expandcontract_probe")
WRITTEN = """SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef AS d
    WHERE d.adrelid = 'pg_temp.expandcontract_probe'::regclass"""


def differs(
    context: MigrationContext,
    inspected: Any,
    column: Any,
    inspected_default: str | None,
    metadata_default: Any,
    rendered: str | None,
) -> bool | None:
    """Whether a default differs, as Alembic asks; ``None`` where Alembic shall find out itself.

    An empty temporary table is made in a savepoint and rolled back.

    Args:
        context: Alembic's.
        inspected: The column as the database has it.
        column: The column of the models.
        inspected_default: Its default in the database.
        metadata_default: That of the models.
        rendered: The same as text.
    """
    if column.primary_key and column is column.table._autoincrement_column:  # noqa: SLF001  # as Alembic does
        return None
    plain = metadata_default is None or isinstance(metadata_default, DefaultClause)
    if context.connection is None or not plain:
        return None
    if inspected_default is None or metadata_default is None:
        return (inspected_default is None) != (metadata_default is None)
    if inspected_default == rendered:
        return False
    savepoint = context.connection.begin_nested()
    try:
        table = sql.Identifier(inspected.table.schema or "public", inspected.table.name)
        like = sql.SQL("CREATE TEMP TABLE expandcontract_probe (LIKE {})").format(table)
        default = sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}")
        name, expression = sql.Identifier(inspected.name), sql.SQL(_expression(metadata_default.arg))
        for statement in (like, default.format(PROBE, name, expression)):
            context.connection.exec_driver_sql(statement.as_string().replace("%", "%%"))
        return bool(context.connection.execute(text(WRITTEN)).scalar_one() != inspected_default)
    except DBAPIError as exc:
        return None if sqlstate(exc) == READ_ONLY else True
    finally:
        savepoint.rollback()


def _expression(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
