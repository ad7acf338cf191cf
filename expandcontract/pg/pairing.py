"""What pairs the rows of two tables between which columns move, as predicates; percent signs are doubled in all.

A row of the target is called ``expandcontract_target``, one of the source as its table, so that expressions may
qualify their columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.pg.quoting import escaped, identifier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from expandcontract.core.transfer import Transfer

TARGET = identifier("expandcontract_target")


UNLIKE = sql.SQL("{}::text IS DISTINCT FROM ({})::text")


def differs(work: Transfer) -> sql.Composed:
    """True for a target row whose source row says otherwise; under a lossy transfer either direction may agree."""
    if not work.lossy:
        return beyond(work)
    back = some(UNLIKE.format(source(work, name), sql.SQL(escaped(value))) for name, value in work.reverse.items())
    given = listed(sql.SQL("{} AS {}").format(target(name), identifier(name)) for name in work.new)
    # the alias may not hide the source's row
    name = work.table.name if work.table.name != work.source.name else "expandcontract_given"
    reverse = sql.SQL("(SELECT {} FROM (SELECT {}) AS {})").format(back, given, identifier(name))
    return _paired(work, sql.SQL("({}) AND {}").format(_forward(work), reverse))


def beyond(work: Transfer) -> sql.Composed:
    """True for a target row that its source row would not give so."""
    return _paired(work, _forward(work))


def _forward(work: Transfer) -> sql.Composed:
    return some(UNLIKE.format(target(name), value) for name, value in zip(work.new, expressions(work), strict=True))


def _paired(work: Transfer, condition: sql.Composed) -> sql.Composed:
    return sql.SQL("EXISTS (SELECT FROM {} AS {} WHERE {} AND ({}))").format(
        identifier(work.source.schema, work.source.name), identifier(work.source.name), _joined(work), condition
    )


def stranded(work: Transfer) -> sql.Composed:
    """True for a source row that has a value and no target row."""
    return sql.SQL("({}) AND NOT EXISTS (SELECT FROM {} AS {} WHERE {})").format(
        _given(work), identifier(work.table.schema, work.table.name), TARGET, _joined(work)
    )


def has_value(work: Transfer) -> sql.Composed:
    """True for a target row whose source row has a value for it."""
    return _paired(work, _given(work))


def _given(work: Transfer) -> sql.Composed:
    return some(sql.SQL("({}) IS NOT NULL").format(value) for value in expressions(work))


def _joined(work: Transfer) -> sql.Composed:
    return every(sql.SQL("{} = {}").format(target(t), source(work, s)) for t, s in work.key.items())


def expressions(work: Transfer) -> list[sql.SQL]:
    """The new columns' values over the source's row, in their order."""
    return [sql.SQL(escaped(value)) for value in work.forward.values()]


def target(name: str) -> sql.Identifier:
    """A column of the target's row."""
    return identifier("expandcontract_target", name)


def source(work: Transfer, name: str) -> sql.Identifier:
    """A column of the source's row."""
    return identifier(work.source.name, name)


def listed(parts: Iterable[sql.Composable]) -> sql.Composed:
    """Joined by commas."""
    return sql.SQL(", ").join(parts)


def every(parts: Iterable[sql.Composable]) -> sql.Composed:
    """Joined by AND."""
    return sql.SQL(" AND ").join(parts)


def some(parts: Iterable[sql.Composable]) -> sql.Composed:
    """Joined by OR."""
    return sql.SQL(" OR ").join(parts)
