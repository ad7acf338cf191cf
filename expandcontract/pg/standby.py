"""Standbys that have not replayed our DDL. The primary's ``lock_timeout`` does not protect their readers.

DDL that took a millisecond here is replayed there under the same lock: it waits for a standby's old readers, new ones
queue behind it, and after ``max_standby_streaming_delay`` the old ones are cancelled. All that can be done from here
is to wait a moment and to say so. Seen by members of ``pg_monitor`` only.
https://www.postgresql.org/docs/current/hot-standby.html#HOT-STANDBY-CONFLICT
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from psycopg.rows import dict_row

from expandcontract.pg.queries import load

if TYPE_CHECKING:
    import psycopg

QUERIES = load("expandcontract.pg", "standby.sql")
LOOKS, PAUSE_S = 8, 0.25


def behind(connection: psycopg.Connection) -> tuple[str, ...]:
    """The standbys that have not replayed all that is written by now, in words; waits up to two seconds for them."""
    row = connection.execute(QUERIES["here"]).fetchone()
    until = row[0] if row else None
    rows: list[dict[str, object]] = []
    for look in range(LOOKS):
        with connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(QUERIES["behind"], {"until": until}).fetchall()
        if not rows:
            return ()
        if look + 1 < LOOKS:
            time.sleep(PAUSE_S)
    return tuple(
        f"standby {found['name']} ({found['address']}) has not replayed this change yet, it is {found['lag_bytes']}"
        " bytes behind: readers there may wait behind it until their oldest query ends or is cancelled"
        for found in rows
    )
