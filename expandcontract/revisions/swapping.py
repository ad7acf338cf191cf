"""Trades the names of a swapped change, in the caller's transaction; and proves beforehand that the way back is clean.

After the swap the old column is NULL where it cannot have the new one's value. The proof is a CHECK that no such row
exists: from its first moment on such a write is refused, as it will be once the names are back, so that none slips in
between the count and the swap. A validated ``CHECK (c IS NOT NULL)`` also spares SET NOT NULL its scan.
https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-DESC-SET-DROP-NOT-NULL
"""

from __future__ import annotations

from io import StringIO
from typing import TYPE_CHECKING

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from psycopg import sql
from sqlalchemy import text

from expandcontract.errors import PairError
from expandcontract.pg import catalog
from expandcontract.revisions.operations import SealConstraint, call
from expandcontract.revisions.seal import relation

if TYPE_CHECKING:
    from types import ModuleType

    from sqlalchemy import Connection

    from expandcontract.core.mapping import Mapping, Table
    from expandcontract.core.shape import Shape
    from expandcontract.pg.attempt import Attempt

FORWARD, BACK, READY = "cut_over", "roll_back", "seal_back"
ATTNUMS = """SELECT a.attname, a.attnum FROM pg_attribute AS a
    WHERE a.attrelid = to_regclass(format('%I.%I', cast(:schema AS text), cast(:table AS text)))
    AND a.attname = ANY (:columns) AND NOT a.attisdropped"""


def swap(connection: Connection, module: ModuleType, name: str, shape: Shape, attempt: Attempt | None = None) -> None:
    """Run ``cut_over()`` of the expand revision, and let the ledger's shape and the triggers follow.

    The caller owns the transaction. Takes ACCESS EXCLUSIVE on the tables, in one order for everybody.

    Args:
        connection: In a transaction.
        module: The expand revision.
        name: The change.
        shape: As the ledger has it now.
        attempt: Whose limits hold for the locks; ``None`` where nobody waits.

    Raises:
        PairError: The revision has no ``cut_over()``, or it does not trade the names.
    """
    _lock(connection, shape, attempt)
    _trade(connection, module, FORWARD, name, shape)


def swap_back(
    connection: Connection, module: ModuleType, name: str, shape: Shape, attempt: Attempt | None = None
) -> None:
    """Run ``roll_back()`` in the same way, and take the proofs of :func:`proofs` away."""
    _lock(connection, shape, attempt)
    found = proofs(connection, name, shape)
    _trade(connection, module, BACK, name, shape)
    for item in found:
        drop = sql.SQL("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {}")
        _execute(connection, drop.format(relation(item.table), sql.Identifier(item.name)))


def script(module: ModuleType, name: str, shape: Shape) -> list[str]:
    """The statements of a swap, in order; nothing is run."""
    said = StringIO()
    options = {"as_sql": True, "output_buffer": said, "literal_binds": True}
    dialect = {"paramstyle": "named"}  # so that a percent sign stays one
    context = MigrationContext.configure(dialect_name="postgresql", dialect_opts=dialect, opts=options)
    with Operations.context(context) as operations:
        _call(module, FORWARD)
        call(operations, "swap", name)
    locks = [_lock_table(table).as_string() for table in _ordered(shape)]
    return [*locks, *(part.strip() for part in said.getvalue().split(";\n") if part.strip())]


def proofs(connection: Connection, name: str, shape: Shape) -> tuple[SealConstraint, ...]:
    """One CHECK for each old column: it has a value wherever the new one has. Reads the catalogue only.

    Args:
        connection: To the target database.
        name: The change.
        shape: As the ledger has it after the swap.
    """
    found: list[SealConstraint] = []
    for mapping in shape.mappings:
        known = {column.name: column for column in catalog.columns(connection, mapping.table)}
        for old, new in zip(mapping.old, mapping.new, strict=True):
            there = sql.SQL("{} IS NOT NULL").format(sql.Identifier(old))
            if not known[new].not_null:
                there = sql.SQL("{} OR {} IS NULL").format(there, sql.Identifier(new))
            number = len(found) + 1
            found.append(SealConstraint(f"ec_back_{number}_{name}", mapping.table, f"CHECK ({there.as_string()})"))
    return tuple(found)


def _lock(connection: Connection, shape: Shape, attempt: Attempt | None) -> None:
    for table in _ordered(shape):
        statement = _lock_table(table)
        if attempt is not None:  # the first table is held while the last is waited for
            settings = attempt.settings(statement.as_string(), local=True)
            attempt.pid = connection.execute(text(settings)).scalar_one()
        _execute(connection, statement)


def _ordered(shape: Shape) -> list[Table]:
    return sorted(shape.tables, key=lambda table: (table.schema, table.name))


def _lock_table(table: Table) -> sql.Composed:
    return sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(relation(table))


def _trade(connection: Connection, module: ModuleType, function: str, name: str, shape: Shape) -> None:
    context = MigrationContext.configure(connection)
    before = [_numbers(connection, mapping) for mapping in shape.mappings]
    with Operations.context(context) as operations:
        _call(module, function)
        for mapping, numbers in zip(shape.mappings, before, strict=True):
            _refuse_untraded(module, function, mapping, numbers, _numbers(connection, mapping))
        call(operations, "swap", name)


def _call(module: ModuleType, function: str) -> None:
    if not hasattr(module, function):
        msg = f"{module.__file__} has no {function}(), and its change is swapped"
        raise PairError(msg, hint="restore the file as ec new wrote it")
    getattr(module, function)()


def _numbers(connection: Connection, mapping: Mapping) -> dict[str, int]:
    """The columns' numbers, which stay theirs whatever they are called."""
    values = {"schema": mapping.table.schema, "table": mapping.table.name, "columns": list(mapping.columns)}
    return {row.attname: row.attnum for row in connection.execute(text(ATTNUMS), values)}


def _refuse_untraded(
    module: ModuleType, function: str, mapping: Mapping, before: dict[str, int], after: dict[str, int]
) -> None:
    for old, new in zip(mapping.old, mapping.new, strict=True):
        if (before.get(old), before.get(new)) != (after.get(new), after.get(old)):
            msg = f"{function}() in {module.__file__} does not trade the names of {old} and {new} of {mapping.table}"
            raise PairError(msg, hint=f'op.trade_columns("{mapping.table.spelled}", "{old}", "{new}")')


def _execute(connection: Connection, statement: sql.Composed) -> None:
    connection.exec_driver_sql(statement.as_string().replace("%", "%%"))
