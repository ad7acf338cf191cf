"""Foretells what statements will do to a database, without doing it and without locking anything.

Three things make a prediction: the statement's tree (``parse``), the facts that it depends on (``world``), and the
measured table (``table``). A statement that no rule knows is ``unknown``; a fact that is not known is taken at its
worst, and the effect says ``assumed``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.effect import Effect, together
from expandcontract.pg.locks import table
from expandcontract.pg.locks.parse import runs_outside
from expandcontract.pg.locks.rules.dispatch import pieces
from expandcontract.pg.locks.source import Catalogue, Nothing
from expandcontract.pg.locks.world import World
from expandcontract.pg.parsed import cut

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from expandcontract.pg.locks.world import Name
    from expandcontract.pg.parsed import Statement

STORED = frozenset("rm")
NEWEST = table.MEASURED[-1]


def predict(
    connection: Connection | None, script: str | Iterable[str], *, major: int | None = None
) -> tuple[Effect, ...]:
    """What each statement will do, in order; later ones see what earlier ones have made, changed and dropped.

    Reads the catalogue and locks no table; nothing is run. May be called any number of times.

    Args:
        connection: To the target database; ``None`` where there is none: what then depends on the catalogue is
            assumed to be the worst.
        script: The statements of one move: one text, or several.
        major: The version of PostgreSQL to foretell for; default the connection's, or the newest one measured. One that
            was not measured is taken from its measured neighbours, the stronger of the two.

    Returns:
        One effect a statement.
    """
    texts = [script] if isinstance(script, str) else script
    return tuple(effect for effects in predict_each(connection, texts, major=major) for effect in effects)


def predict_each(
    connection: Connection | None, scripts: Iterable[str], *, major: int | None = None
) -> tuple[tuple[Effect, ...], ...]:
    """As :func:`predict`, with the effects of each script apart; later scripts see what earlier ones have done."""
    source = Nothing() if connection is None else Catalogue(connection)
    version = major or (source.major if isinstance(source, Catalogue) else NEWEST)
    world = World(source)
    return tuple(tuple(_effect(found, world, version) for found in cut(script)) for script in scripts)


def _effect(statement: Statement, world: World, major: int) -> Effect:
    found = pieces(statement, world)

    def stored(name: Name) -> bool:
        relation = world.get(name)
        return relation is None or relation.kind in STORED

    each = [
        together(statement.text, [table.effect(statement.text, piece, measured, stored) for piece in found])
        for measured in table.nearest(major)
    ]
    whole = each[0]
    if len(each) > 1 and each[0] != each[1]:
        whole = replace(together(statement.text, each), form=each[0].form, assumed=True)
    return replace(whole, transactional=not runs_outside(statement))
