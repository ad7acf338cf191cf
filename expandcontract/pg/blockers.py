"""Who holds, or waits before us for, the locks that are going to be asked for. Looking takes no lock and stops nobody.

Sessions of other roles show their state, age and query only to a member of ``pg_read_all_stats``; where they may not
be seen they stand in nobody's way here, and the attempt's own short limit protects the application.
https://www.postgresql.org/docs/current/view-pg-locks.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from expandcontract.core.blocker import QUIET, Blocker, Kind
from expandcontract.core.conflict import Claim, catalogue_name, conflicting, from_catalogue
from expandcontract.core.masked import masked
from expandcontract.pg.queries import load

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import psycopg

QUERIES = load("expandcontract.pg", "blockers.sql")


def _run(connection: psycopg.Connection, name: str, **values: object) -> list[dict[str, Any]]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(QUERIES[name], values).fetchall()


def _blockers(rows: list[dict[str, Any]]) -> tuple[Blocker, ...]:
    return tuple(Blocker(**{**row, "kind": Kind(row["kind"]), "query": masked(row["query"])}) for row in rows)


def holders(
    connection: psycopg.Connection, claims: Collection[Claim], older_than: timedelta, *, ours: Sequence[int] = ()
) -> tuple[Blocker, ...]:
    """Whose lock conflicts with one of the claims, on its relation or on a partition of it; each once.

    Args:
        connection: In autocommit mode.
        claims: What is going to be locked; a relation that does not exist is passed over.
        older_than: Only transactions of that age; an autovacuum counts whatever its age.
        ours: Backends of our own.
    """
    wanted = [{"relation": c.relation, "modes": [catalogue_name(mode) for mode in conflicting(c.mode)]} for c in claims]
    return _blockers(_run(connection, "holders", claims=Jsonb(wanted), older=older_than, ours=list(ours)))


def snapshots(connection: psycopg.Connection) -> tuple[Blocker, ...]:
    """The sessions of this database whose snapshot a concurrent build would wait for, oldest first."""
    return _blockers(_run(connection, "snapshots"))


def waits_for(connection: psycopg.Connection, pid: int) -> tuple[tuple[Claim, ...], tuple[Blocker, ...]]:
    """The table locks that a backend waits for now, and who blocks it; both empty where it does not wait."""
    rows = _run(connection, "waiting", pid=pid)
    claims = []
    for row in rows:
        mode = from_catalogue(row["mode"])
        if row["relation"] and mode:
            claims.append(Claim(row["relation"], mode))
    pids = sorted({pid for row in rows for pid in row["pids"]})
    if not pids:
        return tuple(claims), ()
    named = holders(connection, claims, timedelta(), ours=[pid]) if claims else ()
    known = {blocker.pid for blocker in named}
    others = _blockers(_run(connection, "sessions", pids=[found for found in pids if found not in known]))
    return tuple(claims), (*named, *others)


def deadlock_timeout(connection: psycopg.Connection) -> timedelta:
    """The server's ``deadlock_timeout``, after which a waiting lock makes an ordinary autovacuum give way."""
    return timedelta(milliseconds=_run(connection, "deadlock_timeout")[0]["setting"])


def end_idle(connection: psycopg.Connection, blocker: Blocker, roles: Collection[str]) -> bool:
    """End the session if it is still idle in its transaction and still of one of the roles; says whether it did.

    Waits up to two seconds for its end. Needs membership in the role or in ``pg_signal_backend``.
    """
    rows = _run(connection, "end_idle", pid=blocker.pid, roles=list(roles), quiet=QUIET)
    return any(row["pg_terminate_backend"] for row in rows)


def partners(connection: psycopg.Connection, relation: str, columns: Collection[str]) -> tuple[str, ...]:
    """The tables at the other end of foreign keys over these columns of a table; dropping one locks both ends."""
    rows = _run(connection, "partners", relation=relation, columns=list(columns))
    return tuple(next(iter(row.values())) for row in rows)
