"""The mover lock: one mover at a time, tried and never waited for.

A blocking advisory lock holds a snapshot while it waits and deadlocks with ``CREATE INDEX CONCURRENTLY``.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

MOVER_KEY = 0x65787063  # the letters "expc"


def try_mover_lock(connection: Connection) -> bool:
    """Take the lock for this session if nobody has it; says whether it did."""
    taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": MOVER_KEY}).scalar_one()
    return bool(taken)


def release_mover_lock(connection: Connection) -> None:
    """Give the lock back; without effect where this session does not hold it."""
    connection.execute(
        text(
            "SELECT pg_advisory_unlock(:key) WHERE EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory'"
            " AND pid = pg_backend_pid() AND objid = :key AND classid = 0)"
        ),
        {"key": MOVER_KEY},
    )


def mover_pid(connection: Connection) -> int | None:
    """Backend process id of the other session that holds the lock, or ``None``."""
    pid = connection.execute(
        text(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = 0 AND objid = :key"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND pid <> pg_backend_pid() LIMIT 1"
        ),
        {"key": MOVER_KEY},
    ).scalar_one_or_none()
    return None if pid is None else int(pid)
