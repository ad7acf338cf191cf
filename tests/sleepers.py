"""Waiting, on the server's own clock, until a session counts as asleep."""

from __future__ import annotations

import psycopg

ASLEEP = """SELECT count(*) FROM pg_stat_activity WHERE pid = %s
    AND clock_timestamp() - state_change > '1.1s' AND clock_timestamp() - xact_start > '1.1s'"""


def until_asleep(dsn: str, pid: int) -> None:
    """Return once the backend's transaction, and its state, are older than a second."""
    with psycopg.connect(dsn, autocommit=True) as eye:
        while eye.execute(ASLEEP, (pid,)).fetchone() != (1,):
            eye.execute("SELECT pg_sleep(0.02)")
