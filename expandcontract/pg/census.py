"""Who is connected, who keeps old snapshots, who blocks. Reads ``pg_stat_activity`` and its kin, takes no lock."""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.facts import Finding, Session, Snapshot
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

QUERIES = load("expandcontract.pg", "census.sql")
LOOKS, PAUSE_S = 3, 0.15


def sessions(connection: Connection, roles: Collection[str]) -> tuple[Session, ...]:
    """The sessions of these login roles in this database, oldest first, looked for several times.

    Whoever connects for each request anew is seen in one of the looks. Of sessions that we may not see in full
    (:func:`unseen`) only role and application are known.

    Args:
        connection: In a transaction; what it has seen of other sessions is forgotten before each look.
        roles: Login roles; with none nothing is looked for.
    """
    found: dict[int, Session] = {}
    for look in range(LOOKS if roles else 0):
        if look:
            sleep(PAUSE_S)
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        rows = connection.execute(text(QUERIES["sessions"]), {"roles": list(roles)}).mappings()
        found |= {row["pid"]: Session(**row) for row in rows}
    return tuple(found.values())


def unseen(connection: Connection, roles: Collection[str]) -> tuple[Finding, ...]:
    """The login roles whose sessions we may not see in full, each with the grant that is missing."""
    rows = connection.execute(text(QUERIES["unseen"]), {"roles": sorted(roles)}).mappings()
    return tuple(Finding(what=row["what"], fix=row["fix"]) for row in rows)


def begun(connection: Connection, role: str, since: datetime) -> tuple[Session, ...]:
    """The sessions of a login role in this database that have begun a transaction since; ``unknown`` is hidden.

    Args:
        connection: In a transaction of its own, for the view is read once in each.
        role: The login role.
        since: On the database's clock.
    """
    rows = connection.execute(text(QUERIES["begun"]), {"role": role, "since": since}).mappings()
    return tuple(Session(**row) for row in rows)


def snapshots(connection: Connection, older_than: timedelta) -> tuple[Snapshot, ...]:
    """Sessions, prepared transactions and replication that keep a snapshot older than the limit."""
    rows = connection.execute(text(QUERIES["snapshots"]), {"limit": older_than}).mappings()
    return tuple(Snapshot(**row) for row in rows)
