"""The mover lock: one mover at a time, tried and never waited for.

A blocking advisory lock holds a snapshot while it waits and deadlocks with ``CREATE INDEX CONCURRENTLY``.
https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Connection

MOVER_KEY = 0x65787063  # the letters "expc"
RUN_KEY = 0x65787072  # the letters "expr"


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


def try_run_locks(connection: Connection, names: Collection[str]) -> bool:
    """Take, for this session, the right to run these changes, if nobody has it of any; says whether it did.

    It keeps nobody from moving them by hand. Without names it is the right to run all changes; where part of it was
    not to be had, the rest goes with the session.
    """
    among, alone = text("SELECT pg_try_advisory_lock_shared(:key, 0)"), text("SELECT pg_try_advisory_lock(:key, 0)")
    if not connection.execute(among if names else alone, {"key": RUN_KEY}).scalar_one():
        return False
    one = text("SELECT pg_try_advisory_lock(:key, hashtext(:name))")
    return all(connection.execute(one, {"key": RUN_KEY, "name": name}).scalar_one() for name in sorted(names))


def runs(connection: Connection) -> tuple[str, ...]:
    """The other sessions that have such a right, by application name and process id."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT format('%s (backend %s)', a.application_name, a.pid) FROM pg_locks AS l"
            " JOIN pg_stat_activity AS a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted"
            " AND l.classid = :key AND l.objsubid = 2 AND a.datname = current_database()"
            " AND a.pid <> pg_backend_pid() ORDER BY 1"
        ),
        {"key": RUN_KEY},
    )
    return tuple(rows.scalars())
