"""The one comparison that all scenes end in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.effect import differences
from expandcontract.pg.locks import observe, predict

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from tests.integration.locks.moves import Scene


def wrong(connection: Connection, scene: Scene) -> str:
    """Every statement of a move is foretold before the first runs, then run and seen; a line for each difference."""
    connection.exec_driver_sql(scene.given.replace("%", "%%"))
    connection.commit()
    predicted = predict(connection, scene.move)
    connection.rollback()
    found = []
    for statement, effect in zip(scene.move, predicted, strict=True):
        observed = observe(connection, statement)
        connection.commit()
        doubt = [word for word, real in (("unknown", not effect.known), ("assumed", effect.assumed)) if real]
        found += [f"{statement}: {what}" for what in (*differences(effect, observed), *doubt)]
    return "\n".join(found)
