"""Rows before they are rows: a SELECT that gives them, with the variants that each column can be given. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.pg.rows.model import Check
from expandcontract.pg.rows.value import literals, variants

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from expandcontract.core.mapping import Table
    from expandcontract.pg.rows.model import Column, Key, Leaf, Sketch
    from expandcontract.pg.rows.order import Turn

N = sql.SQL("g.n")
SPARSE = 10
"""Every so manieth row leaves a column empty that may be."""


@dataclass(frozen=True, slots=True)
class Draft:
    """How rows of one leaf are made.

    Attributes:
        sketch: The table.
        leaf: Where they are put.
        fixed: The columns whose value is settled: from a foreign key.
        choices: The columns that can be given one of several.
        checks: What a row must satisfy, or had better; only what can be told from the columns given here.
        parents: The foreign keys that give values, in the order of their joins.
        lacking: Columns for which there is no value, each with why.
    """

    sketch: Sketch
    leaf: Leaf
    fixed: Mapping[str, sql.Composable]
    choices: Mapping[str, tuple[sql.Composable, ...]]
    checks: tuple[Check, ...]
    parents: tuple[Key, ...]
    lacking: tuple[str, ...]

    def rows(self, chosen: Mapping[str, sql.Composable], first: int, last: int, step: int = 1) -> sql.Composed:
        """The rows numbered ``first`` to ``last``, or every ``step``th of them, generated columns included."""
        values = {**self.fixed, **chosen}
        listed = [sql.SQL("{} AS {}").format(value, sql.Identifier(name)) for name, value in values.items()]
        source = self._source(first, last, step)
        plain = sql.SQL("SELECT {} FROM {} ORDER BY {}").format(sql.SQL(", ").join(listed), source, N)
        generated = [
            sql.SQL("({}) AS {}").format(sql.SQL(column.generated), sql.Identifier(column.name))
            for column in self.sketch.columns
            if column.generated is not None and set(chosen) >= set(self.choices)
        ]
        if not generated:
            return plain
        return sql.SQL("SELECT r.*, {} FROM ({}) AS r").format(sql.SQL(", ").join(generated), plain)

    def _source(self, first: int, last: int, step: int) -> sql.Composed:
        found = sql.SQL("generate_series({}, {}, {}) AS g (n)").format(*map(sql.Literal, (first, last, step)))
        for number, key in enumerate(self.parents):
            columns = sql.SQL(", ").join(map(sql.Identifier, key.target_columns))
            there = sql.SQL(" AND ").join(
                sql.SQL("{} IS NOT NULL").format(sql.Identifier(name)) for name in key.target_columns
            )
            target = _relation(key.target)
            numbered = sql.SQL("(SELECT {}, row_number() OVER () AS k FROM {} WHERE {}) AS {}").format(
                columns, target, there, _alias(number)
            )
            counted = sql.SQL("(SELECT nullif(count(*), 0) FROM {} WHERE {})").format(target, there)
            found = sql.SQL("{} LEFT JOIN {} ON {}.k = 1 + (g.n - 1) % {}").format(
                found, numbered, _alias(number), counted
            )
        return found

    def condition(self, checks: Iterable[Check]) -> sql.Composable:
        """That a row satisfies these; as in a CHECK, what is not known is satisfied."""
        parts = [sql.SQL("({}) IS NOT FALSE").format(check.predicate) for check in checks]
        return sql.SQL(" AND ").join(parts) if parts else sql.SQL("true")


def draft(turn: Turn, leaf: Leaf) -> Draft:
    """How rows of a leaf can be made."""
    sketch = turn.sketch
    bound = _bound(sketch, leaf)
    checks = (*sketch.checks, *bound, *_domains(sketch))
    parents, fixed = _from_keys(turn.keys)
    waiting = {name for key in turn.later for name in key.columns} - set(fixed)
    own = _own(turn.later, sketch)
    choices: dict[str, tuple[sql.Composable, ...]] = {}
    lacking: list[str] = []
    for column in sketch.columns:
        if column.generated is not None or column.name in fixed or (column.numbered and column.name not in own):
            continue
        found = _choices(column, checks, waits=column.name in waiting)
        choices[column.name] = found
        if not found and column.name not in own:
            lacking.append(_why(column, waits=column.name in waiting))
    for name, target in own.items():
        if not choices.get(name):
            choices[name] = choices.get(target) or ()
    known = {*fixed, *choices} | {column.name for column in sketch.columns if column.generated is not None}
    told = tuple(check for check in checks if check.columns <= known)
    return Draft(sketch, leaf, fixed, choices, told, parents, tuple(lacking))


def _choices(column: Column, checks: Sequence[Check], *, waits: bool) -> tuple[sql.Composable, ...]:
    if waits:
        return () if column.not_null else (_null(column),)
    said = [check.predicate.as_string() for check in checks if column.name in check.columns]
    hints = literals(column.kind.demands, *said)
    found: list[sql.Composable] = list(variants(column.kind, N, column.name, hints))
    if not (column.not_null or column.unique):
        found = [_sparse(value) for value in found]
    if column.default is not None:
        found.append(sql.SQL(column.default))
    if not column.not_null:
        found.append(_null(column))
    return tuple(found)


def _null(column: Column) -> sql.Composed:
    return sql.SQL("NULL::{}").format(sql.SQL(column.kind.spelled))


def _sparse(value: sql.Composable) -> sql.Composed:
    return sql.SQL("CASE WHEN {} % {} <> 0 THEN {} END").format(N, sql.Literal(SPARSE), value)


def _why(column: Column, *, waits: bool) -> str:
    if waits:
        return f"{column.name} refers in a circle and may not be NULL"
    return f"{column.name} is of type {column.kind.domain or column.kind.spelled}, of which no value is known"


def _from_keys(keys: Sequence[Key]) -> tuple[tuple[Key, ...], dict[str, sql.Composable]]:
    """The keys that give values, longest first, and the values; a column is given by one key only."""
    chosen: list[Key] = []
    fixed: dict[str, sql.Composable] = {}
    for key in sorted(keys, key=lambda key: -len(key.columns)):
        if set(key.columns) & set(fixed):
            continue
        for name, target in zip(key.columns, key.target_columns, strict=True):
            fixed[name] = sql.SQL("{}.{}").format(_alias(len(chosen)), sql.Identifier(target))
        chosen.append(key)
    return tuple(chosen), fixed


def _own(later: Sequence[Key], sketch: Sketch) -> dict[str, str]:
    """Columns that may not be NULL and refer to the same table: each refers to its own row, by the column named."""
    found: dict[str, str] = {}
    for key in later:
        if key.target == sketch.table and any(sketch.column(name).not_null for name in key.columns):
            found.update(zip(key.columns, key.target_columns, strict=True))
            found.update({target: target for target in key.target_columns})
    return found


def _bound(sketch: Sketch, leaf: Leaf) -> tuple[Check, ...]:
    if leaf.bound is None:
        return ()
    columns = frozenset(column.name for column in sketch.columns if _names(leaf.bound, column.name))
    return (Check(name=f"the bound of {leaf.table}", predicate=sql.SQL(leaf.bound), columns=columns),)


def _names(text: str, name: str) -> bool:
    return sql.Identifier(name).as_string() in text or name in text


def _domains(sketch: Sketch) -> tuple[Check, ...]:
    """A domain refuses a value by an error, so it is enough that the value is made, and looked at."""
    seen = sql.SQL("({} IS NULL) IS NOT NULL")
    return tuple(
        Check(
            name=f"domain {column.kind.domain}",
            predicate=seen.format(sql.Identifier(column.name)),
            columns=frozenset({column.name}),
        )
        for column in sketch.columns
        if column.kind.domain and column.generated is None
    )


def _alias(number: int) -> sql.Identifier:
    return sql.Identifier(f"p{number}")


def _relation(table: Table) -> sql.Identifier:
    return sql.Identifier(table.schema, table.name)
