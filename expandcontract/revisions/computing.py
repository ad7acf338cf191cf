"""Fills rows straight through, where it takes other tables or a Python function: on a database that nobody uses yet.

In the revision's own transaction and through whatever driver ``env.py`` chose. The function is called in this process.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from psycopg.adapt import Transformer

from expandcontract.functions.call import Fault, call
from expandcontract.functions.found import find
from expandcontract.pg import computed, joined
from expandcontract.pg.catalog import leaves

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any, TypeVar

    from sqlalchemy import Connection

    from expandcontract.core.shape import Shape
    from expandcontract.pg.computed import Form, Read

    T = TypeVar("T")

SOME = 1000
"""Rows a statement."""
EVERYWHERE = sql.SQL("true")


def filled(connection: Connection, shape: Shape) -> None:
    """Fill what the row itself cannot; the caller owns the transaction. Takes ROW EXCLUSIVE. May run twice.

    Raises:
        MappingError: A function cannot be imported, or uses a column that is not there.
        FunctionError: A function gave nothing that can be written.
        BackfillError: A row is joined to several.
    """
    for work in shape.fills:
        for leaf in () if work.by_row else leaves(connection, work.table):
            form = computed.form(connection, work, leaf)
            if work.function is None:
                _join(connection, form)
            else:
                _compute(connection, form)


def _run(connection: Connection, query: sql.Composed) -> list[Any]:
    return list(connection.exec_driver_sql(query.as_string()))


def _join(connection: Connection, form: Form) -> None:
    locked = [row[0] for row in _run(connection, joined.lock(form.work, form.relation, EVERYWHERE))]
    for some in _parts(locked):
        query = joined.fill(form.work, form.relation, computed.literal(some), _around(some))
        ((_, several),) = _run(connection, query)
        if several:
            named = (
                _run(connection, joined.keys(form.relation, form.key, computed.literal(several))) if form.key else []
            )
            raise joined.ambiguous(form, several, named)


def _compute(connection: Connection, form: Form) -> None:
    function = find(form.work.function or "")
    rows = form.taken(_run(connection, computed.read(form, EVERYWHERE)))
    for some in _parts(rows):
        results = call(function, [found.row for found in some], form.work.writes)
        if isinstance(results, Fault):
            raise computed.failure(form, results.said, some if results.row is None else [some[results.row]])
        pairs = [(found, result) for found, result in zip(some, results, strict=True) if result is not None]
        if pairs:
            _write(connection, form, [found for found, _ in pairs], [_texts(form, *pair) for pair in pairs])


def _texts(form: Form, found: Read, result: dict[str, Any]) -> list[str | None]:
    adapter = Transformer()
    try:
        return [computed.as_text(value, as_json=name in form.json, adapter=adapter) for name, value in result.items()]
    except (psycopg.Error, TypeError, ValueError) as exc:
        raise computed.failure(form, f"gave what cannot be written: {exc}", [found]) from exc


def _write(connection: Connection, form: Form, rows: Sequence[Read], texts: Sequence[Sequence[str | None]]) -> None:
    places = [found.at for found in rows]
    seen = computed.literal([found.seen for found in rows])
    values = [computed.literal(column) for column in zip(*texts, strict=True)]
    _run(connection, computed.write(form, computed.literal(places), seen, values, _around(places)))


def _around(places: Sequence[str]) -> tuple[sql.Literal, sql.Literal]:
    low, high = computed.around(places)
    return sql.Literal(low), sql.Literal(high)


def _parts(rows: Iterable[T]) -> Iterator[list[T]]:
    left = iter(rows)
    while some := list(islice(left, SOME)):
        yield some
