"""Clients beside a move, in a process of their own: one holds transactions of 3 s, one measures each of its SELECTs.

``python -m tests.benchmarks.bystander DSN`` works until a line comes in, then prints what was waited for.
"""

from __future__ import annotations

import json
import sys
import threading
import time

import psycopg
from psycopg import sql

READER_S, GAP_S = 3.0, 0.5
NOTED_S = 0.02
"""Shorter waits are the ordinary course of a query."""
TABLES = """
SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'expandcontract')
    AND n.nspname NOT LIKE 'pg\\_%' AND c.relname <> 'alembic_version'
"""
OVER, READING = threading.Event(), threading.Event()
WAITS: list[tuple[float, float]] = []
NOISE = [0.0]
"""The longest that a query which needs no table took: the machine's own delay."""
COUNT = [0]


def queries(connection: psycopg.Connection) -> list[sql.Composed]:
    """A SELECT of one row from each table and view of the application, as they are called now."""
    found = connection.execute(TABLES).fetchall()
    return [sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(*name)) for name in found]


def select(dsn: str, *, first: bool) -> None:
    """SELECT until told to stop, each in a transaction of its own; tables come and go.

    Two of these share the tables from either end, so that one that waits does not keep the others unseen.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        while not OVER.is_set():
            known = queries(connection)
            for query in known if first else reversed(known):
                for _ in range(20):
                    if OVER.wait(0.002):
                        return
                    began = time.monotonic()
                    try:
                        connection.execute(query)
                    except psycopg.Error:
                        break  # it was dropped or renamed
                    finally:
                        ended = time.monotonic()
                        COUNT[0] += 1
                        if ended - began > NOTED_S:
                            WAITS.append((began, ended))


def read(dsn: str) -> None:
    """Hold a transaction that has read every table for three seconds, again and again."""
    with psycopg.connect(dsn) as connection:
        connection.execute("SET lock_timeout = '2s'")
        connection.commit()
        while not OVER.is_set():
            try:
                for query in queries(connection):
                    connection.execute(query)
            except psycopg.Error:
                connection.rollback()
                continue
            READING.set()
            OVER.wait(READER_S)
            connection.rollback()
            OVER.wait(GAP_S)


def control(dsn: str) -> None:
    """Ask what waits for nobody, as often as the others ask."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        while not OVER.wait(0.002):
            began = time.monotonic()
            connection.execute("SELECT 1")
            NOISE[0] = max(NOISE[0], time.monotonic() - began)


def main() -> None:
    """Work until a line comes in."""
    dsn = sys.argv[1]
    threads = [
        threading.Thread(target=read, args=(dsn,)),
        threading.Thread(target=control, args=(dsn,)),
        *(threading.Thread(target=select, args=(dsn,), kwargs={"first": first}) for first in (True, False)),
    ]
    for thread in threads:
        thread.start()
    READING.wait()
    print("ready", flush=True)  # noqa: T201
    sys.stdin.readline()
    OVER.set()
    for thread in threads:
        thread.join()
    print(json.dumps({"waits": WAITS, "selects": COUNT[0], "noise": NOISE[0]}))  # noqa: T201


if __name__ == "__main__":
    main()
