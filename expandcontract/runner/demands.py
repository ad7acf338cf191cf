"""What a change will ask of the rows that a rehearsal makes up: that its mappings and rules hold of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from psycopg import sql

from expandcontract.pg.rows import Check, Demands, Key
from expandcontract.revisions import seal
from expandcontract.revisions.operations import SealConstraint, SealNotNull, SealUnique
from expandcontract.runner.observe import coming

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from expandcontract.core.change import ChangeState
    from expandcontract.core.mapping import Table
    from expandcontract.core.shape import Shape
    from expandcontract.revisions.operations import SealItem
    from expandcontract.runner.place import Place


def of(place: Place, change: ChangeState) -> Demands:
    """What the change asks for; its revisions are read, nothing is run."""
    items = (*seal.record(place.project.pair(change.name).expand.module), *coming(place, change))
    filled = {fill.table for fill in change.shape.fills}
    required = {(item.table, item.column) for item in items if isinstance(item, SealNotNull)}
    return Demands(
        rules=tuple(_rules(items)),
        checks=(*_mapped(change.shape, required), *_present(required, filled)),
        keys=tuple(_paired(change.shape)),
    )


def _rules(items: Iterable[SealItem]) -> Iterator[tuple[Table, str]]:
    for item in items:
        match item:
            case SealConstraint():
                yield item.table, item.definition
            case SealUnique():
                columns = sql.SQL(", ").join(map(sql.Identifier, item.columns)).as_string()
                yield item.table, f"UNIQUE ({columns})"


def _present(required: Iterable[tuple[Table, str]], filled: set[Table]) -> Iterator[tuple[Table, Check]]:
    """A column that shall not be NULL has values, unless the change fills it."""
    for table, column in required:
        if table not in filled:
            predicate = sql.SQL("{} IS NOT NULL").format(sql.Identifier(column))
            name = f"NOT NULL of {column}"
            yield table, Check(name=name, predicate=predicate, columns=frozenset({column}), wished=True)


def _mapped(shape: Shape, required: set[tuple[Table, str]]) -> Iterator[tuple[Table, Check]]:
    """There and back gives what was there."""
    for mapping in shape.mappings:
        must = [column for column in mapping.new if (mapping.table, column) in required]
        yield mapping.table, _round_trip(mapping.forward, mapping.reverse, must, lossy=mapping.lossy)
    for move in shape.transfers:
        yield move.source, _round_trip(move.forward, move.reverse, [], lossy=move.lossy)


def _round_trip(forward: Mapping[str, str], reverse: Mapping[str, str], must: Iterable[str], *, lossy: bool) -> Check:
    made = [sql.SQL("({}) AS {}").format(sql.SQL(value), sql.Identifier(name)) for name, value in forward.items()]
    same = [
        sql.SQL("({}) IS NOT DISTINCT FROM {}").format(sql.SQL(value), sql.Identifier("r", name))
        for name, value in reverse.items()
        if not lossy
    ]
    there = [sql.SQL("{} IS NOT NULL").format(sql.Identifier("m", name)) for name in must]
    every = sql.SQL(" AND ").join([*same, *there]) if same or there else sql.SQL("count(m) >= 0")
    predicate = sql.SQL("(SELECT {} FROM (SELECT {}) AS m)").format(every, sql.SQL(", ").join(made))
    return Check(name="the mapping", predicate=predicate, columns=frozenset(reverse), wished=True)


def _paired(shape: Shape) -> Iterator[tuple[Table, Key]]:
    """Rows of two tables between which columns move belong together, one to one."""
    for move in shape.transfers:
        key = Key(
            name="the transfer",
            columns=tuple(move.key),
            target=move.source,
            target_columns=tuple(move.key.values()),
        )
        yield move.table, key
