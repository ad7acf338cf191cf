"""What hangs on a column: foreign keys both ways, and its indexes and checks as PostgreSQL would write them anew.

Takes no lock beyond ACCESS SHARE.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg import sql
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.core.mapping import Table
from expandcontract.errors import MappingError
from expandcontract.pg import catalog
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy import Connection

QUERIES = load("expandcontract.pg", "belonging.sql")
COPY = Table(schema="pg_temp", name="expandcontract_copy")
PROBE = "pg_temp.expandcontract_copy"
ACTIONS = {"a": "", "r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ForeignKey:
    """A foreign key that a column is in, or that refers to it."""

    name: str
    table: Table
    columns: tuple[str, ...]
    ref_table: Table
    ref_columns: tuple[str, ...]
    match: str
    on_update: str
    on_delete: str
    on_delete_columns: tuple[str, ...]
    deferrable: bool
    deferred: bool
    validated: bool

    def definition(self, table: Table, names: Mapping[str, str]) -> str:
        """As in ADD CONSTRAINT, fully qualified, with the columns of ``table`` under their new names."""
        own = names if self.table == table else {}
        other = names if self.ref_table == table else {}
        said = [f"FOREIGN KEY {_listed(self.columns, own)} REFERENCES {_qualified(self.ref_table)}"]
        said[0] += f" {_listed(self.ref_columns, other)}"
        said += ["MATCH FULL"] if self.match == "f" else []
        said += [f"ON UPDATE {ACTIONS[self.on_update]}"] if ACTIONS[self.on_update] else []
        if ACTIONS[self.on_delete]:
            only = f" {_listed(self.on_delete_columns, own)}" if self.on_delete_columns else ""
            said.append(f"ON DELETE {ACTIONS[self.on_delete]}{only}")
        if self.deferrable:
            said.append("DEFERRABLE" + (" INITIALLY DEFERRED" if self.deferred else ""))
        return " ".join(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A CHECK: its expression, and whether rows keep to it."""

    name: str
    expression: str
    validated: bool
    enforced: bool
    alone: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What PostgreSQL writes of a table's indexes and checks once some of its columns are others.

    Attributes:
        indexes: By the name of the original: what stands after USING.
        checks: By the name of the original.
    """

    indexes: Mapping[str, str]
    checks: Mapping[str, str]


def foreign_keys(connection: Connection, table: Table, column: str) -> tuple[ForeignKey, ...]:
    """The foreign keys that the column is in or that refer to it, those of partitions left out."""
    found = []
    for row in connection.execute(
        text(QUERIES["foreign_keys"]), {"oid": catalog.table_oid(connection, table), "column": column}
    ).mappings():
        values: dict[str, Any] = dict(row)
        values["table"] = Table(schema=values.pop("schema"), name=values["table"])
        values["ref_table"] = Table(schema=values.pop("ref_schema"), name=values["ref_table"])
        for name in ("columns", "ref_columns", "on_delete_columns"):
            values[name] = tuple(values[name])
        found.append(ForeignKey(**values))
    return tuple(found)


def checks(connection: Connection, table: Table) -> dict[str, Check]:
    """The checks of a table, by name."""
    rows = connection.execute(text(QUERIES["checks"]), {"table": _qualified(table)}).mappings()
    return {row["name"]: Check(**row) for row in rows}


def taken(connection: Connection, schema: str) -> frozenset[str]:
    """The names of relations and constraints of a schema."""
    return frozenset(connection.execute(text(QUERIES["taken"]), {"schema": schema}).scalars())


def statistics(connection: Connection, table: Table, column: str) -> tuple[str, ...]:
    """The extended statistics that a column is in."""
    values = {"oid": catalog.table_oid(connection, table), "column": column}
    return tuple(connection.execute(text(QUERIES["statistics"]), values).scalars())


def rewritten(
    connection: Connection,
    table: Table,
    moves: Sequence[tuple[catalog.Column, catalog.Column]],
    reread: Callable[[str], str] | None = None,
) -> Written:
    """What PostgreSQL itself writes once each first column is the second one, tried on an empty temporary copy.

    Args:
        connection: Left as it was.
        table: The table.
        moves: Each column as it is, and as it shall be.
        reread: Makes of an expression over the old types one over the new; default: PostgreSQL reads the same words
            again, which it does not where a constant names the old type.

    Raises:
        MappingError: An index or check cannot be of the new type; PostgreSQL's reason is told.
    """
    with _copy(connection, table):
        copies = _paired(connection, table)
        _rename(connection, moves)
        if reread is None:
            _retype(connection, table, moves, PROBE)
        tails, known = _tails(connection, PROBE), checks(connection, COPY)
        found = Written(
            indexes={name: tails[copy] for name, copy in copies.items()},
            checks={name: check.expression for name, check in known.items()},
        )
        if reread is None:
            return found
        found = Written(
            indexes={name: reread(tail) for name, tail in found.indexes.items()},
            checks={name: reread(expression) for name, expression in found.checks.items()},
        )
        _try(connection, table, moves, found)
        return found


@contextmanager
def _copy(connection: Connection, table: Table) -> Iterator[None]:
    statement = sql.SQL(
        "CREATE TEMP TABLE expandcontract_copy (LIKE {} INCLUDING INDEXES INCLUDING CONSTRAINTS INCLUDING GENERATED)"
    ).format(sql.Identifier(table.schema, table.name))
    savepoint = connection.begin_nested()
    try:
        _run(connection, statement)
        yield
    finally:
        savepoint.rollback()


def _rename(connection: Connection, moves: Sequence[tuple[catalog.Column, catalog.Column]]) -> None:
    for old, new in moves:
        if new.name != old.name:
            rename = sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO {}")
            _run(connection, rename.format(sql.SQL(PROBE), sql.Identifier(old.name), sql.Identifier(new.name)))


def _retype(
    connection: Connection, table: Table, moves: Sequence[tuple[catalog.Column, catalog.Column]], probe: str
) -> None:
    retyped = [(old, new) for old, new in moves if (new.type, new.collation) != (old.type, old.collation)]
    if not retyped:
        return
    # in one statement, as an index or check may be over several of them
    each = sql.SQL(", ").join(
        sql.SQL("ALTER COLUMN {} TYPE {} {} USING NULL").format(
            sql.Identifier(new.name),
            sql.SQL(new.type),
            sql.SQL(f"COLLATE {new.collation}" if new.collation else ""),
        )
        for _, new in retyped
    )
    with _in_the_way(table, retyped):
        _run(connection, sql.SQL("ALTER TABLE {} {}").format(sql.SQL(probe), each))


def _try(
    connection: Connection, table: Table, moves: Sequence[tuple[catalog.Column, catalog.Column]], found: Written
) -> None:
    """Make indexes and checks as reread on a second copy, which has the new types and nothing else."""
    again = sql.SQL("pg_temp.expandcontract_again")
    _run(connection, sql.SQL("CREATE TEMP TABLE expandcontract_again (LIKE {})").format(sql.SQL(PROBE)))
    _retype(connection, table, moves, "pg_temp.expandcontract_again")
    with _in_the_way(table, moves):
        for tail in found.indexes.values():
            _run(connection, sql.SQL("CREATE INDEX ON {} USING {}").format(again, sql.SQL(tail)))
        for expression in found.checks.values():
            _run(connection, sql.SQL("ALTER TABLE {} ADD CHECK ({})").format(again, sql.SQL(expression)))


@contextmanager
def _in_the_way(table: Table, moves: Sequence[tuple[catalog.Column, catalog.Column]]) -> Iterator[None]:
    try:
        yield
    except DBAPIError as exc:
        what = ", ".join(f"{old.name} to {new.type}" for old, new in moves)
        msg = f"an index or check of {table} stands in the way of {what}: {str(exc.orig).splitlines()[0]}"
        raise MappingError(msg, hint="drop that index or check first, with a pair of its own") from exc


def _paired(connection: Connection, table: Table) -> dict[str, str]:
    """The name that the copy of each index has."""
    copies = _tails(connection, PROBE)
    found: dict[str, str] = {}
    for name, tail in _tails(connection, _qualified(table)).items():
        copy = next((made for made, copied in copies.items() if copied == tail and made not in found.values()), None)
        if copy is not None:
            found[name] = copy
    return found


def _tails(connection: Connection, table: str) -> dict[str, str]:
    rows = connection.execute(text(QUERIES["indexes"]), {"table": table})
    return {row.name: row.tail for row in rows}


def _listed(names: Sequence[str], renamed: Mapping[str, str]) -> str:
    return "(" + ", ".join(_ident(renamed.get(name, name)) for name in names) + ")"


def _qualified(table: Table) -> str:
    return f"{_ident(table.schema)}.{_ident(table.name)}"


def _ident(name: str) -> str:
    return sql.Identifier(name).as_string()


def _run(connection: Connection, statement: sql.Composed) -> None:
    connection.exec_driver_sql(statement.as_string().replace("%", "%%"))
