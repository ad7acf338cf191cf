"""Alembic's operations that stay as they are, for a change that no running release notices: new tables, comments.

What Alembic does not see and such an operation needs is made, or refused by name: types, sequences, schemas.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any

from alembic.operations import ops
from psycopg import sql
from sqlalchemy import Enum, ForeignKeyConstraint, Sequence, text
from sqlalchemy.dialects.postgresql import ENUM

from expandcontract.core.change import Change
from expandcontract.core.mapping import Table
from expandcontract.revisions.placing import place_of, refuse, target_of
from expandcontract.revisions.render import Draft, Half, quote, statement

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from collections.abc import Sequence as SequenceABC

    from sqlalchemy import Connection

    from expandcontract.revisions.auto import Item
    from expandcontract.revisions.autogenerate import Difference

SCHEMA = "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = :schema)"
SEQUENCE = "SELECT to_regclass(format('%I.%I', cast(:schema AS text), cast(:name AS text))) IS NOT NULL"
TYPE = "SELECT to_regtype(:name) IS NOT NULL"


def draft(connection: Connection, difference: Difference, item: Item, name: str, made: Collection[str]) -> Draft:
    """The change that makes them.

    Args:
        connection: To the database that was compared; only read.
        difference: What was found there; renders the operations.
        item: The operations.
        name: The change's name.
        made: Types that changes before it in the same run make.

    Raises:
        PairError: A schema or sequence is not there.
    """
    for operation in item.plain:
        _refuse_missing(connection, operation)
    new = [found for found in _enums(item.plain) if _spelled(found) not in made and not _there(connection, found)]
    operations = [_without_types(operation) for operation in item.plain]
    lines, imports = difference.source(operations)
    back: list[Any] = [operation.reverse() for operation in reversed(operations)]
    undo, more = difference.source(back)
    types = {_spelled(found): found for found in new}
    half = Half(
        summary=item.about,
        imports=tuple({*imports, *more}),
        upgrade=[*map(_create, types.values()), *lines, "op.begin_change(change)"],
        downgrade=["op.end_change(change)", *undo, *(_run(f"DROP TYPE {found}") for found in reversed(types))],
    )
    return Draft(change=Change(name, touches=[table.spelled for table in _touched(item.plain)]), expand=half)


def without_later_keys(
    operation: ops.CreateTableOp, order: SequenceABC[Table]
) -> tuple[ops.CreateTableOp, list[ops.CreateForeignKeyOp]]:
    """A new table without foreign keys to those that come after it, and these keys.

    Args:
        operation: The table.
        order: Every new table, as they are made.
    """
    apart: list[Any] = []
    kept: list[Any] = []
    for part in operation.columns:
        key = ops.CreateForeignKeyOp.from_constraint(part) if isinstance(part, ForeignKeyConstraint) else None
        ahead = key is not None and target_of(key) in order[order.index(place_of(operation)) + 1 :]
        (apart if ahead else kept).append(key if ahead else part)
    for key in apart:
        key.kw.pop("use_alter", None)
    without = copy(operation)
    without.columns = kept
    return without, apart


def types_made(connection: Connection, operations: SequenceABC[Any]) -> set[str]:
    """The types that a change with these operations makes."""
    return {_spelled(found) for found in _enums(operations) if not _there(connection, found)}


def _refuse_missing(connection: Connection, operation: Any) -> None:
    if not isinstance(operation, ops.CreateTableOp):
        return
    schema = operation.schema or "public"
    if not connection.execute(text(SCHEMA), {"schema": schema}).scalar_one():
        what = f"new table {schema}.{operation.table_name}"
        raise refuse(
            what,
            "is of a schema that is not there",
            f"CREATE SCHEMA {quote(schema)} comes first: ec new sql --name NAME --expand SQL",
        )
    for column in operation.to_table().columns:
        found = column.default if isinstance(column.default, Sequence) else None
        values = {"schema": found.schema or "public", "name": found.name} if found is not None else {}
        if values and not connection.execute(text(SEQUENCE), values).scalar_one():
            place = f"{quote(values['schema'])}.{quote(values['name'])}"
            what = f"{operation.table_name}.{column.name}"
            instead = f"CREATE SEQUENCE {place} comes first: ec new sql --name NAME --expand SQL"
            raise refuse(what, f"draws from sequence {place}, which is not there: Alembic does not see it", instead)


def _touched(operations: SequenceABC[Any]) -> list[Table]:
    """The tables that are there and are locked: commented, or referred to by a new one."""
    new = {place_of(operation) for operation in operations if isinstance(operation, ops.CreateTableOp)}
    found: list[Table] = []
    for operation in operations:
        if isinstance(operation, ops.CreateTableOp):
            keys = (key for key in operation.to_table().foreign_keys)
            found += [_target(key.target_fullname) for key in keys]
        elif isinstance(operation, ops.CreateForeignKeyOp):
            found.append(target_of(operation))
        else:
            found.append(place_of(operation))
    return [table for table in dict.fromkeys(found) if table not in new]


def _target(full: str) -> Table:
    parts = full.split(".")
    return Table(schema=parts[-3] if len(parts) > 2 else "public", name=parts[-2])  # noqa: PLR2004  # schema, table, column


def _enums(operations: SequenceABC[Any]) -> Iterator[Enum]:
    for operation in operations:
        if isinstance(operation, ops.CreateTableOp):
            for column in operation.to_table().columns:
                if isinstance(column.type, Enum) and column.type.native_enum:
                    yield column.type


def _there(connection: Connection, found: Enum) -> bool:
    return bool(connection.execute(text(TYPE), {"name": _spelled(found)}).scalar_one())


def _spelled(found: Enum) -> str:
    return f"{quote(found.schema or 'public')}.{quote(str(found.name))}"


def _create(found: Enum) -> str:
    values = sql.SQL(", ").join(map(sql.Literal, found.enums)).as_string()
    return _run(f"CREATE TYPE {_spelled(found)} AS ENUM ({values})")


def _run(said: str) -> str:
    return f"op.execute({statement(said)})"


def _without_types(operation: Any) -> Any:
    """The operation with types that it does not try to make: they may be there already."""
    if not isinstance(operation, ops.CreateTableOp):
        return operation
    table = operation.to_table()
    for column in table.columns:
        found = column.type
        if isinstance(found, Enum) and found.native_enum:
            column.type = ENUM(*found.enums, name=found.name, schema=found.schema, create_type=False)
    return ops.CreateTableOp.from_table(table)
