"""Which recipe each of Alembic's operations wants. What stands in no row here is refused by name, never guessed.

Rules for the next editor:

1. One function an operation, attached by Alembic's own dispatch; it returns what is wanted, as data.
2. A difference of several parts in one operation gives one item a part, in the order in which they are taken.
3. Nothing is read from the database here; the recipe looks at the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alembic.operations import ops
from alembic.util.langhelpers import Dispatcher
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from expandcontract.core.mapping import Table
from expandcontract.errors import PairError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PLACES = Dispatcher()
DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
PLAIN = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One pair to write.

    Attributes:
        recipe: The recipe's name; empty for operations that no running release notices and that stay as they are.
        table: The table that it is about.
        arguments: Of the recipe.
        operation: Where it came from.
        about: In words, for questions and refusals.
    """

    recipe: str
    table: Table
    about: str
    operation: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)


def wanted(operation: Any) -> list[Wanted]:
    """What recipes the operation wants.

    Raises:
        PairError: No row says so.
    """
    try:
        place: Callable[[Any], list[Wanted]] = PLACES.dispatch(operation)
    except ValueError:
        msg = f"{type(operation).__name__} has no recipe: {operation.to_diff_tuple()!r}"
        raise PairError(msg, hint="write it by hand: ec new sql, or alembic revision --head expand@head") from None
    return place(operation)


def _table(operation: Any) -> Table:
    return Table(schema=operation.schema or "public", name=str(operation.table_name))


def _one(operation: Any, recipe: str, about: str, **arguments: Any) -> list[Wanted]:
    table = _table(operation)
    given = {"table": table.spelled, **arguments} if recipe else {}
    return [Wanted(recipe=recipe, table=table, about=about, operation=operation, arguments=given)]


def sql_of(value: Any) -> str:
    """An expression of SQLAlchemy, or text, as SQL."""
    if hasattr(value, "arg"):  # DefaultClause
        value = value.arg
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value.compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))


def _type(kind: Any) -> str:
    return str(kind.compile(dialect=DIALECT))


@PLACES.dispatch_for(ops.CreateTableOp)
@PLACES.dispatch_for(ops.CreateTableCommentOp)
@PLACES.dispatch_for(ops.DropTableCommentOp)
def _as_it_is(operation: Any) -> list[Wanted]:
    return _one(operation, PLAIN, f"{type(operation).__name__.removesuffix('Op')} of {_table(operation)}")


@PLACES.dispatch_for(ops.DropTableOp)
def _drop_table(operation: ops.DropTableOp) -> list[Wanted]:
    return _one(operation, "drop-table", f"drop of table {_table(operation)}")


@PLACES.dispatch_for(ops.AddColumnOp)
def _add_column(operation: ops.AddColumnOp) -> list[Wanted]:
    column = operation.column
    if column.identity is not None or column.computed is not None:
        msg = f"{_table(operation)}.{column.name} would give itself its value, which rewrites the table"
        raise PairError(msg, hint="write it by hand: ec new sql")
    return _one(
        operation,
        "add-column",
        f"new column {_table(operation)}.{column.name}",
        column=str(column.name),
        type=_type(column.type),
        default=None if column.server_default is None else sql_of(column.server_default),
        not_null=not column.nullable,
        comment=column.comment,
    )


@PLACES.dispatch_for(ops.DropColumnOp)
def _drop_column(operation: ops.DropColumnOp) -> list[Wanted]:
    about = f"drop of column {_table(operation)}.{operation.column_name}"
    return _one(operation, "drop-column", about, column=str(operation.column_name))


@PLACES.dispatch_for(ops.AlterColumnOp)
def _alter_column(operation: ops.AlterColumnOp) -> list[Wanted]:
    column = str(operation.column_name)
    where = f"{_table(operation)}.{column}"
    found: list[Wanted] = []
    if operation.modify_type is not None:
        kind = _type(operation.modify_type)
        arguments = {"column": column, "type": kind, "keep_name": True}
        return _one(operation, "change-type", f"{where} as {kind}", **arguments)
    if operation.modify_server_default is not False:
        default = operation.modify_server_default
        given = {"column": column, "default": None if default is None else sql_of(default)}
        found += _one(operation, "change-default", f"another default of {where}", **given)
    if operation.modify_nullable is not None:
        recipe = "drop-not-null" if operation.modify_nullable else "set-not-null"
        found += _one(operation, recipe, f"{recipe} of {where}", column=column)
    if operation.modify_comment is not False:
        found += _one(operation, PLAIN, f"comment of {where}")
    return found


@PLACES.dispatch_for(ops.CreateIndexOp)
def _add_index(operation: ops.CreateIndexOp) -> list[Wanted]:
    if operation.unique:
        msg = f"{operation.index_name} is a unique index, which is a rule that old releases can break"
        raise PairError(msg, hint="declare it as UniqueConstraint, for which there is add-unique")
    definition = str(CreateIndex(operation.to_index()).compile(dialect=DIALECT))
    tail = definition.split(" USING ", 1)[1] if " USING " in definition else "btree (" + definition.split(" (", 1)[1]
    name = str(operation.index_name)
    return _one(operation, "add-index", f"index {name}", definition=tail, index=name, columns=[])


@PLACES.dispatch_for(ops.DropIndexOp)
def _drop_index(operation: ops.DropIndexOp) -> list[Wanted]:
    name = str(operation.index_name)
    found = _one(operation, "drop-index", f"drop of index {name}")[0]
    spelled = Table(schema=found.table.schema, name=name).spelled
    return [
        Wanted(
            recipe=found.recipe,
            table=found.table,
            about=found.about,
            operation=operation,
            arguments={"index": spelled},
        )
    ]


@PLACES.dispatch_for(ops.CreateUniqueConstraintOp)
def _add_unique(operation: ops.CreateUniqueConstraintOp) -> list[Wanted]:
    columns = [str(column) for column in operation.columns]
    name = None if operation.constraint_name is None else str(operation.constraint_name)
    about = f"unique constraint over {_table(operation)} ({', '.join(columns)})"
    return _one(operation, "add-unique", about, columns=columns, constraint=name)


@PLACES.dispatch_for(ops.CreateForeignKeyOp)
def _add_foreign_key(operation: ops.CreateForeignKeyOp) -> list[Wanted]:
    more = operation.kw
    table = Table(schema=more.get("source_schema") or "public", name=operation.source_table)
    target = Table(schema=more.get("referent_schema") or "public", name=operation.referent_table)
    arguments = {
        "table": table.spelled,
        "columns": list(operation.local_cols),
        "target": target.spelled,
        "target_columns": list(operation.remote_cols),
        "on_delete": more.get("ondelete"),
        "constraint": None if operation.constraint_name is None else str(operation.constraint_name),
    }
    about = f"foreign key of {table} ({', '.join(operation.local_cols)}) to {target}"
    return [
        Wanted(recipe="add-foreign-key", table=table, about=about, operation=operation, arguments=arguments),
    ]


@PLACES.dispatch_for(ops.CreateCheckConstraintOp)
def _add_check(operation: ops.CreateCheckConstraintOp) -> list[Wanted]:
    name = str(operation.constraint_name)
    return _one(operation, "add-check", f"check {name}", constraint=name, check=sql_of(operation.condition))


@PLACES.dispatch_for(ops.DropConstraintOp)
def _drop_constraint(operation: ops.DropConstraintOp) -> list[Wanted]:
    name = str(operation.constraint_name)
    return _one(operation, "drop-constraint", f"drop of constraint {name}", constraint=name)
