"""Tables as the generator of rows sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.core.mapping import Table
from expandcontract.pg.rows.kind import kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expandcontract.pg.rows.kind import Ask, Kind

STORED, PARTITIONED = "r", "p"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column.

    Attributes:
        name: Its name.
        kind: Its type.
        not_null: Whether it must have a value.
        default: Its default as SQL; ``None`` where it has none.
        generated: The expression that it is generated from; ``None`` for an ordinary one.
        numbered: Whether a sequence of its own numbers it.
        unique: Whether a unique index has it.
    """

    name: str
    kind: Kind
    not_null: bool
    default: str | None = None
    generated: str | None = None
    numbered: bool = False
    unique: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What every row must satisfy, or had better, where it is ``wished`` for only.

    Attributes:
        name: For what is told.
        predicate: Over the columns of the row.
        columns: Those that it is about.
        wished: Whether a row that does not satisfy it is still a row.
    """

    name: str
    predicate: sql.Composable
    columns: frozenset[str]
    wished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A foreign key, or a pair of tables whose rows belong together without one."""

    name: str
    columns: tuple[str, ...]
    target: Table
    target_columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leaf:
    """Where rows are put: a table, or a partition with what its bound demands."""

    table: Table
    bound: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sketch:
    """A table to be filled.

    Attributes:
        table: Which.
        kind: As ``pg_class.relkind`` has it.
        columns: In their order.
        checks: What rows must satisfy.
        keys: What rows refer to.
        leaves: Where its rows are put.
    """

    table: Table
    kind: str
    columns: tuple[Column, ...] = ()
    checks: tuple[Check, ...] = ()
    keys: tuple[Key, ...] = ()
    leaves: tuple[Leaf, ...] = ()

    @property
    def stored(self) -> bool:
        """Whether rows can be put into it."""
        return self.kind in {STORED, PARTITIONED}

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Demands:
    """What a change will ask of the rows, beyond what the tables ask of them by themselves.

    Attributes:
        rules: Definitions of constraints to come, by table; one that is about columns to come is passed over.
        checks: What mappings ask of their rows.
        keys: Which rows of two tables belong together, by the table that refers.
    """

    rules: tuple[tuple[Table, str], ...] = ()
    checks: tuple[tuple[Table, Check], ...] = ()
    keys: tuple[tuple[Table, Key], ...] = field(default=())


def sketch(ask: Ask, table: Table, demands: Demands) -> Sketch | None:
    """The table as it is; ``None`` where there is none of that name."""
    rows = ask("table", schema=table.schema, name=table.name)
    if not rows:
        return None
    oid, relkind = rows[0]["oid"], rows[0]["kind"]
    return Sketch(
        table=table,
        kind=relkind,
        columns=_columns(ask, oid),
        checks=(*_checks(ask, oid), *(check for of, check in demands.checks if of == table)),
        keys=(*_keys(ask, oid), *(key for of, key in demands.keys if of == table)),
        leaves=_leaves(ask, oid, table, relkind),
    )


def _columns(ask: Ask, oid: int) -> tuple[Column, ...]:
    unique = {row["name"] for row in ask("unique", oid=oid)}
    return tuple(
        Column(
            name=row["name"],
            kind=(made := kind(ask, row["type"], row["modifier"])),
            not_null=row["not_null"] or made.required,
            default=row["default_sql"],
            generated=row["generated"],
            numbered=bool(row["identity"]) or row["sequence"] is not None,
            unique=row["name"] in unique,
        )
        for row in ask("columns", oid=oid)
    )


def _checks(ask: Ask, oid: int) -> Sequence[Check]:
    return [
        Check(name=row["name"], predicate=sql.SQL(row["predicate"]), columns=frozenset(row["columns"]))
        for row in ask("checks", oid=oid)
    ]


def _keys(ask: Ask, oid: int) -> Sequence[Key]:
    return [
        Key(
            name=row["name"],
            columns=tuple(row["columns"]),
            target=Table(schema=row["schema"], name=row["target"]),
            target_columns=tuple(row["target_columns"]),
        )
        for row in ask("keys", oid=oid)
    ]


def _leaves(ask: Ask, oid: int, table: Table, relkind: str) -> tuple[Leaf, ...]:
    if relkind != PARTITIONED:
        (row,) = ask("bound", oid=oid)
        return (Leaf(table, row["bound"]),)
    found = ask("leaves", oid=oid)
    return tuple(
        Leaf(Table(schema=row["schema"], name=row["name"]), row["bound"]) for row in found if row["kind"] == STORED
    )
