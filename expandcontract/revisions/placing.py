"""Which recipe each of Alembic's operations wants. What stands in no row here is refused by name, never guessed.

Rules for the next editor:

1. One function an operation, attached by Alembic's own dispatch; it returns what is wanted, as data.
2. A difference of several parts in one operation gives one item a part, in the order in which they are taken; a part
   that no item carries is refused by name, as is an option that the recipe does not know.
3. Nothing is read from the database here; the recipe looks at the catalogue.
4. Arguments are those of the recipe's ``draft``; a test binds each placement to its signature.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import NoneType
from typing import TYPE_CHECKING, Any

from alembic.operations import ops
from alembic.util.langhelpers import Dispatcher
from sqlalchemy import Computed, Identity
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CheckConstraint, Sequence
from sqlalchemy.sql.expression import ColumnClause

from expandcontract.core.mapping import Table
from expandcontract.core.naming import default_name
from expandcontract.errors import PairError
from expandcontract.pg.parsed import index_columns
from expandcontract.revisions.render import quote

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
        about: In words, for questions and refusals.
        operation: Where it came from.
        arguments: Of the recipe.
        over: The columns that an index or constraint stands on, as far as they are told.
        unique: Whether it wants values that no two rows share.
        names: What the models call the indexes and constraints that it carries along.
    """

    recipe: str
    table: Table
    about: str
    operation: Any
    arguments: Mapping[str, Any] = field(default_factory=dict)
    over: frozenset[str] = frozenset()
    unique: bool = False
    names: tuple[str, ...] = ()

    @property
    def column(self) -> str | None:
        """The one column that it is about, where it is about one."""
        found = self.arguments.get("column") or getattr(self.operation, "column_name", None)
        return None if found is None else str(found)

    @property
    def short(self) -> str:
        """The column's name, or the table's."""
        return self.column or self.table.name

    @property
    def label(self) -> str:
        """As answers name it: ``table.column``, ``table.constraint``, ``table.index``, or the table alone."""
        operation = self.operation
        named = (
            self.column
            or self.arguments.get("constraint")
            or getattr(operation, "constraint_name", None)
            or getattr(operation, "index_name", None)
        )
        return f"{self.table}.{named}" if named else str(self.table)


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


def place_of(operation: Any) -> Table:
    """The table that an operation is about."""
    if isinstance(operation, ops.CreateForeignKeyOp):
        return Table(schema=operation.kw.get("source_schema") or "public", name=str(operation.source_table))
    return Table(schema=operation.schema or "public", name=str(operation.table_name))


def target_of(operation: ops.CreateForeignKeyOp) -> Table:
    """The table that a foreign key refers to."""
    return Table(schema=operation.kw.get("referent_schema") or "public", name=str(operation.referent_table))


def _one(operation: Any, recipe: str, about: str, **arguments: Any) -> list[Wanted]:
    table = place_of(operation)
    given = {"table": table.spelled, **arguments} if recipe else {}
    return [Wanted(recipe=recipe, table=table, about=about, operation=operation, arguments=given)]


def refuse(what: str, why: str, instead: str) -> PairError:
    """The refusal of a difference that no recipe carries."""
    return PairError(f"{what} {why}", hint=instead)


BY_HAND = "write it by hand: ec new sql"


def sql_of(value: Any) -> str:
    """An expression of SQLAlchemy, or text, as SQL."""
    if hasattr(value, "arg"):  # DefaultClause
        value = value.arg
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return _compiled(value)


def _compiled(value: Any) -> str:
    options = {"include_table": False, "literal_binds": True}
    return str(value.compile(dialect=DIALECT, compile_kwargs=options))


def type_of(kind: Any) -> str:
    """A type of SQLAlchemy as SQL."""
    return str(kind.compile(dialect=DIALECT))


@PLACES.dispatch_for(ops.CreateTableOp)
@PLACES.dispatch_for(ops.CreateTableCommentOp)
@PLACES.dispatch_for(ops.DropTableCommentOp)
def _as_it_is(operation: Any) -> list[Wanted]:
    words = {"CreateTableOp": "new table", "CreateTableCommentOp": "comment of", "DropTableCommentOp": "no comment of"}
    return _one(operation, PLAIN, f"{words[type(operation).__name__]} {place_of(operation)}")


@PLACES.dispatch_for(ops.DropTableOp)
def _drop_table(operation: ops.DropTableOp) -> list[Wanted]:
    return _one(operation, "drop-table", f"drop of table {place_of(operation)}")


@PLACES.dispatch_for(ops.AddColumnOp)
def _add_column(operation: ops.AddColumnOp) -> list[Wanted]:
    column = operation.column
    where = f"{place_of(operation)}.{column.name}"
    if column.identity is not None or column.computed is not None:
        raise refuse(where, "would give itself its value, which rewrites the table", BY_HAND)
    if column.primary_key:
        raise refuse(where, "is a new part of the primary key", "ec new sql, in a change of its own")
    found = _one(
        operation,
        "add-column",
        f"new column {where}",
        column=str(column.name),
        type=type_of(column.type),
        default=None if column.server_default is None else sql_of(column.server_default),
        not_null=not column.nullable,
        comment=column.comment,
    )
    # Alembic compares no checks, so that nobody else would bring those of the column itself
    checks = [one for one in column.constraints if isinstance(one, CheckConstraint)]
    return found + [made for check in checks for made in _check_with(operation, str(column.name), check)]


def _check_with(operation: ops.AddColumnOp, column: str, check: CheckConstraint) -> list[Wanted]:
    table = place_of(operation)
    name = str(check.name) if isinstance(check.name, str) else default_name(table.name, [column], "check")
    (found,) = _one(operation, "add-check", f"check {name}", constraint=name, sql=sql_of(check.sqltext))
    return [replace(found, over=frozenset({column}))]


@PLACES.dispatch_for(ops.DropColumnOp)
def _drop_column(operation: ops.DropColumnOp) -> list[Wanted]:
    about = f"drop of column {place_of(operation)}.{operation.column_name}"
    return _one(operation, "drop-column", about, column=str(operation.column_name))


@PLACES.dispatch_for(ops.AlterColumnOp)
def _alter_column(operation: ops.AlterColumnOp) -> list[Wanted]:
    """A type first: in place it is there at once, and what else changes of the column finds it so."""
    column = str(operation.column_name)
    where = f"{place_of(operation)}.{column}"
    found: list[Wanted] = []
    if operation.modify_type is not None:
        kind = type_of(operation.modify_type)
        found += _one(operation, "change-type", f"{where} as {kind}", column=column, type=kind, keep_name=True)
    if operation.modify_server_default is not False:
        found += _one(operation, "change-default", f"the default of {where}", column=column, **_default(operation))
    if operation.modify_nullable is not None:
        recipe, words = (
            ("drop-not-null", "NULL allowed in") if operation.modify_nullable else ("set-not-null", "no NULL in")
        )
        found += _one(operation, recipe, f"{words} {where}", column=column)
    if operation.modify_comment is not False:
        found += _one(_comment_alone(operation), PLAIN, f"comment of {where}")
    if not found:
        raise refuse(where, f"changes in a way without a recipe: {operation.to_diff_tuple()!r}", BY_HAND)
    return found


def _default(operation: ops.AlterColumnOp) -> dict[str, Any]:
    where = f"{place_of(operation)}.{operation.column_name}"
    new, old = operation.modify_server_default, operation.existing_server_default
    if any(isinstance(found, Identity | Computed | Sequence) for found in (new, old)):
        raise refuse(where, "gives itself its value differently (identity or generated)", BY_HAND)
    return {"drop": True} if new is None else {"default": sql_of(new)}


def _comment_alone(operation: ops.AlterColumnOp) -> ops.AlterColumnOp:
    return ops.AlterColumnOp(
        operation.table_name,
        operation.column_name,
        schema=operation.schema,
        existing_type=operation.existing_type,
        existing_nullable=operation.existing_nullable,
        existing_server_default=operation.existing_server_default,
        existing_comment=operation.existing_comment,
        modify_comment=operation.modify_comment,
    )


INDEX_OPTIONS = {"postgresql_using", "postgresql_where", "postgresql_include", "postgresql_ops"}
IGNORED = {"postgresql_concurrently"}  # every index is built so


@PLACES.dispatch_for(ops.CreateIndexOp)
def _add_index(operation: ops.CreateIndexOp) -> list[Wanted]:
    name = str(operation.index_name)
    options = {key: value for key, value in operation.kw.items() if _says(value) and key not in IGNORED}
    _refuse_options(f"index {name}", options, INDEX_OPTIONS)
    plain, parts, where = _key(operation)
    arguments = {
        "columns" if plain else "expression": parts,
        "index": name,
        "method": options.get("postgresql_using", "btree"),
        "where": where,
        "include": tuple(map(_name, options.get("postgresql_include", ()))),
    }
    found = _one(operation, "add-index", f"index {name}", **arguments)
    return [replace(found[0], unique=bool(operation.unique), over=_over(operation))]


def _key(operation: ops.CreateIndexOp) -> tuple[bool, tuple[str, ...], str | None]:
    """Whether the key is columns alone, its parts (names then, else SQL), and the predicate."""
    classes = operation.kw.get("postgresql_ops") or {}
    plain = not classes and all(isinstance(part, str | ColumnClause) for part in operation.columns)
    parts = tuple(_name(part) if plain else _part(part, classes) for part in operation.columns)
    where = operation.kw.get("postgresql_where")
    return plain, parts, where if where is None or isinstance(where, str) else sql_of(where)


def _over(operation: ops.CreateIndexOp) -> frozenset[str]:
    plain, parts, where = _key(operation)
    return index_columns(map(quote, parts) if plain else parts, where)


def _says(value: Any) -> bool:
    """Whether an option asks for anything; an expression of SQLAlchemy does, and has no truth value."""
    return bool(value) if isinstance(value, bool | str | dict | list | tuple | NoneType) else True


def _name(part: Any) -> str:
    return str(getattr(part, "name", part))


def _part(part: Any, classes: Mapping[str, str]) -> str:
    """What stands for one part of a key between the brackets of CREATE INDEX."""
    if isinstance(part, str):
        said, key = quote(part), part
    else:
        grouped = part if isinstance(part, ColumnClause) else part.self_group()
        said = _compiled(grouped)
        key = getattr(part, "key", None) or ""
    return f"{said} {classes[key]}" if key in classes else said


def _refuse_options(what: str, given: Mapping[str, Any], known: set[str]) -> None:
    other = sorted(key for key, value in given.items() if _says(value) and key not in known)
    if other:
        raise refuse(what, f"has options that no recipe carries: {', '.join(other)}", BY_HAND)


@PLACES.dispatch_for(ops.DropIndexOp)
def _drop_index(operation: ops.DropIndexOp) -> list[Wanted]:
    name = str(operation.index_name)
    found = _one(operation, "drop-index", f"drop of index {name}")[0]
    spelled = Table(schema=found.table.schema, name=name).spelled
    return [replace(found, arguments={"index": spelled}, over=columns_before(operation))]


def columns_before(operation: Any) -> frozenset[str]:
    """The columns of what goes; what it would bring back is known nowhere else."""
    reverse = operation._reverse  # noqa: SLF001
    if isinstance(reverse, ops.CreateIndexOp):
        return _over(reverse)
    return frozenset(map(_name, getattr(reverse, "columns", None) or getattr(reverse, "local_cols", None) or ()))


@PLACES.dispatch_for(ops.CreateUniqueConstraintOp)
def _add_unique(operation: ops.CreateUniqueConstraintOp) -> list[Wanted]:
    columns = [str(column) for column in operation.columns]
    about = f"unique constraint over {place_of(operation)} ({', '.join(columns)})"
    _refuse_options(about, operation.kw, {"postgresql_include", "postgresql_nulls_not_distinct"})
    found = _one(
        operation,
        "add-unique",
        about,
        columns=columns,
        include=[str(column) for column in operation.kw.get("postgresql_include") or ()],
        nulls_not_distinct=bool(operation.kw.get("postgresql_nulls_not_distinct")),
        constraint=_constraint(operation),
    )
    return [replace(found[0], unique=True, over=frozenset(columns))]


def _constraint(operation: Any) -> str | None:
    return None if operation.constraint_name is None else str(operation.constraint_name)


@PLACES.dispatch_for(ops.CreateForeignKeyOp)
def _add_foreign_key(operation: ops.CreateForeignKeyOp) -> list[Wanted]:
    more = operation.kw
    table, target = place_of(operation), target_of(operation)
    about = f"foreign key of {table} ({', '.join(operation.local_cols)}) to {target}"
    _refuse_options(about, more, {"source_schema", "referent_schema", "ondelete", "onupdate", "use_alter"})
    columns = [str(column) for column in operation.local_cols]
    arguments = {
        "table": table.spelled,
        "columns": columns,
        "target": target.spelled,
        "target_columns": [str(column) for column in operation.remote_cols],
        "on_delete": more.get("ondelete"),
        "on_update": more.get("onupdate"),
        "constraint": _constraint(operation),
    }
    return [
        Wanted(
            recipe="add-foreign-key",
            table=table,
            about=about,
            operation=operation,
            arguments=arguments,
            over=frozenset(columns),
        )
    ]


@PLACES.dispatch_for(ops.CreateCheckConstraintOp)
def _add_check(operation: ops.CreateCheckConstraintOp) -> list[Wanted]:
    name = str(operation.constraint_name)
    return _one(operation, "add-check", f"check {name}", constraint=name, sql=sql_of(operation.condition))


@PLACES.dispatch_for(ops.DropConstraintOp)
def _drop_constraint(operation: ops.DropConstraintOp) -> list[Wanted]:
    name = str(operation.constraint_name)
    (found,) = _one(operation, "drop-constraint", f"drop of constraint {name}", constraint=name)
    return [replace(found, over=columns_before(operation))]
