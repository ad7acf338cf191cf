"""How often and how long a backfill was held back, and by what. Written by samplers, read by ``ec status``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.pg.queries import load

if TYPE_CHECKING:
    import psycopg

    from expandcontract.core.throttle import Reading

QUERIES = load("expandcontract.ledger", "throttling.sql")


def record(connection: psycopg.Connection, change: str, reading: Reading) -> None:
    """Count a breach that is seen now; one that was seen a moment ago goes on. Any number of processes may.

    Args:
        connection: The caller's transaction, or autocommit.
        change: The change.
        reading: What was measured.
    """
    values = {
        "change": change,
        "signal": reading.signal,
        "value": reading.value,
        "limit": reading.limit,
        "detail": reading.detail,
    }
    connection.execute(QUERIES["record"], values)
