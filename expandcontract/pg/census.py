"""Who is connected, who keeps old snapshots, who blocks. Reads ``pg_stat_activity`` and its kin, takes no lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.facts import Session, Snapshot
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime, timedelta

    from sqlalchemy import Connection

QUERIES = load("expandcontract.pg", "census.sql")


def sessions(connection: Connection, roles: Collection[str]) -> tuple[Session, ...]:
    """The sessions of these login roles in this database."""
    rows = connection.execute(text(QUERIES["sessions"]), {"roles": list(roles)}).mappings()
    return tuple(Session(**row) for row in rows)


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
