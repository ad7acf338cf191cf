"""The server-side functions of a swap: columns, constraints and indexes that trade names, and what numbers the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.pg.locks.rules import renaming
from expandcontract.pg.locks.rules.target import target
from expandcontract.pg.locks.table import UNTOLD, Piece
from expandcontract.pg.locks.world import Column, Relation

if TYPE_CHECKING:
    from expandcontract.pg.locks.rules.target import Target
    from expandcontract.pg.locks.world import Name, World


def traded(function: str, arguments: list[Any], world: World) -> list[Piece]:
    """What ``SELECT expandcontract.function(…)`` does; ``unknown`` where it is none of a swap's."""
    match function, arguments:
        case "trade_columns", [str(schema), str(table), str(one), str(other)]:
            return _columns(target(world, (schema, table)), one, other)
        case "trade_constraints", [str(schema), str(table), str(one), str(other)]:
            at = target(world, (schema, table))
            renaming.trade(lambda old, new: renaming.constraint(at, old, new), one, other)
            return [at.piece("rename constraint")]
        case "trade_indexes", [str(schema), str(one), str(other)]:
            return _indexes(world, schema, one, other)
        case "move_numbering", [str(schema), str(table), str(source), str(goal), *_]:
            return _numbering(target(world, (schema, table)), source, goal)
        case _:
            return [Piece(form="unknown")]


def _columns(at: Target, one: str, other: str) -> list[Piece]:
    """Two columns, and since PostgreSQL 18 the constraints that make them NOT NULL."""
    renaming.trade(lambda old, new: renaming.column(at, old, new), one, other)
    strict = [
        name for name, key in at.relation.keys.items() if key.kind == "n" and key.columns <= frozenset({one, other})
    ]
    if len(strict) > 1:
        renaming.trade(lambda old, new: renaming.constraint(at, old, new), strict[0], strict[1])
    return [at.piece("rename column")]


def _indexes(world: World, schema: str, one: str, other: str) -> list[Piece]:
    names = ((schema, one), (schema, other))
    assumed = not all(world.need(name).known for name in names)
    renaming.trade(lambda old, new: renaming.relation(world, (schema, old), (schema, new)), one, other)
    return [Piece(form="rename index", roles={"index": names}, assumed=assumed)]


def _numbering(at: Target, source: str, goal: str) -> list[Piece]:
    """An identity, or a default that draws from a sequence, goes to another column of the table."""
    columns = at.relation.columns
    if source not in columns:
        return [_identity(at, UNTOLD, assumed=True), at.piece("add identity")]
    given, taker = columns[source], columns.setdefault(goal, Column())
    sequence = given.sequence
    taker.sequence, taker.drawn, given.sequence, given.drawn = sequence, given.drawn, None, None
    if given.identity and sequence is not None:
        given.identity, taker.identity = False, True
        pieces = [_identity(at, sequence), at.piece("add identity")]
        at.world.remove(sequence)
        at.world.add(Relation(name=sequence, kind="S"))
        taker.sequence = sequence
        return pieces
    owned = [Piece(form="own sequence", roles={"sequence": (sequence,), "table": (at.name,)})] if sequence else []
    drawn: tuple[Name, ...] = (taker.drawn,) if taker.drawn else ()
    return [*owned, at.piece("set default", sequence=drawn), at.piece("drop default")]


def _identity(at: Target, sequence: Name, *, assumed: bool = False) -> Piece:
    return at.piece("drop identity", assumed=assumed, sequence=(sequence,))
