"""In which order tables are filled, so that what a row refers to is there. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expandcontract.core.mapping import Table
    from expandcontract.pg.rows.model import Key, Sketch


@dataclass(frozen=True, slots=True)
class Turn:
    """A table whose turn it is.

    Attributes:
        sketch: The table.
        keys: The foreign keys whose rows are there by now.
        later: Those that lead in a circle: their columns stay NULL, or the row refers to itself.
    """

    sketch: Sketch
    keys: tuple[Key, ...]
    later: tuple[Key, ...]


def order(sketches: Sequence[Sketch]) -> tuple[Turn, ...]:
    """Each table after those that it refers to, where they do not refer to each other in a circle.

    A circle is broken where a key's columns may all be NULL; where none may, at the first table of it.
    """
    waiting, turns = list(sketches), []
    known = {sketch.table for sketch in sketches}
    done: set[Table] = set()
    while waiting:
        ready = next((s for s in waiting if not _missing(s, known - done)), None)
        chosen = ready or next((s for s in waiting if _may_wait(s, known - done)), waiting[0])
        missing = _missing(chosen, known - done)
        own = tuple(key for key in chosen.keys if key.target == chosen.table)
        there = tuple(key for key in chosen.keys if key not in missing and key not in own)
        turns.append(Turn(chosen, there, (*missing, *own)))
        waiting.remove(chosen)
        done.add(chosen.table)
    return tuple(turns)


def _missing(sketch: Sketch, absent: set[Table]) -> tuple[Key, ...]:
    return tuple(key for key in sketch.keys if key.target in absent and key.target != sketch.table)


def _may_wait(sketch: Sketch, absent: set[Table]) -> bool:
    return all(not sketch.column(name).not_null for key in _missing(sketch, absent) for name in key.columns)
