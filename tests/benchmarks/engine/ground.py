"""One server, and for every competitor a fresh copy of the same table, measured before and after."""

from __future__ import annotations

import json
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql
from sqlalchemy import text

from expandcontract.core.mapping import Mapping
from expandcontract.core.shape import Shape
from expandcontract.ledger.install import install
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.server import LocalServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.benchmarks.engine.tables import Table

CHANGE = "users_full_name_to_display_name"
WORK = Mapping("users", forward={"display_name": "full_name"}, reverse={"full_name": "display_name"})
SETTINGS = {
    "shared_buffers": "1GB",
    "max_wal_size": "16GB",
    "min_wal_size": "8GB",  # files of the write-ahead log are used again, as on a server that has run for a while
    "checkpoint_timeout": "1h",
    "autovacuum": "off",  # it would come at another moment in each run
    "max_connections": "50",
}
SIZES = """
SELECT sum(pg_relation_size(c.oid))::bigint, sum(pg_indexes_size(c.oid))::bigint,
    (pg_current_wal_insert_lsn() - '0/0')::bigint
FROM pg_class AS c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
"""
LEFT = "SELECT count(*) FROM users WHERE {} IS DISTINCT FROM full_name"


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one run came to.

    Attributes:
        rows_per_s: Rows filled a second.
        heap: Size of the heap afterwards, over that before.
        indexes: The same of the indexes.
        wal_row: Bytes of write-ahead log for each row.
        seconds: How long it took.
    """

    rows_per_s: float
    heap: float
    indexes: float
    wal_row: float
    seconds: float


class Ground:
    """A server with templates of the tables, each plain and with the change's triggers."""

    def __init__(self, server: LocalServer) -> None:
        self.server = server
        self._made: set[str] = set()

    @classmethod
    @contextmanager
    def start(cls, version: int) -> Iterator[Ground]:
        """A server of this version, ended afterwards."""
        with LocalServer.start(version=version, settings=SETTINGS) as server:
            yield cls(server)

    def _admin(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server.dsn(), autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _template(self, table: Table, *, synced: bool) -> str:
        name = f"{table.name}_{'synced' if synced else 'plain'}"
        if name not in self._made:
            self._admin("CREATE DATABASE {}", name)
            dsn = self.server.dsn(name)
            with psycopg.connect(dsn, autocommit=True) as connection:
                connection.execute(table.setup)
                connection.execute("VACUUM ANALYZE" if table.analysed else "VACUUM")
            if synced:
                begin(dsn)
            self._made.add(name)
        return name

    @contextmanager
    def copy(self, table: Table, *, synced: bool) -> Iterator[str]:
        """A fresh copy of the table, read once so that it is in memory; dropped afterwards."""
        template = self._template(table, synced=synced)
        self._admin("CREATE DATABASE {} TEMPLATE {}", "run", template)
        self._admin("CHECKPOINT")
        os.sync()  # or the kernel would write an earlier competitor's pages during the next one's run
        try:
            with psycopg.connect(self.server.dsn("run"), autocommit=True) as connection:
                connection.execute("SELECT count(*), max(users::text) FROM users")
                connection.execute("SET enable_seqscan = off; SELECT count(email) FROM users WHERE email > ''")
            yield self.server.dsn("run")
        finally:
            self._admin("DROP DATABASE {} WITH (FORCE)", "run")

    def measured(
        self, table: Table, rival: Callable[[str, Table], object], *, synced: bool, column: str = "display_name"
    ) -> Figures:
        """Let ``rival`` fill ``column`` of a fresh copy.

        Raises:
            RuntimeError: It left rows unfilled.
        """
        with self.copy(table, synced=synced) as dsn, psycopg.connect(dsn, autocommit=True) as connection:
            heap, indexes, wal = connection.execute(SIZES).fetchone() or (0, 0, 0)
            began = time.monotonic()
            rival(dsn, table)
            seconds = time.monotonic() - began
            heap_after, indexes_after, wal_after = connection.execute(SIZES).fetchone() or (0, 0, 0)
            (left,) = connection.execute(sql.SQL(LEFT).format(sql.Identifier(column))).fetchone() or (0,)
            if left:
                msg = f"{left} rows of {table.name} are not filled"
                raise RuntimeError(msg)
        return Figures(
            rows_per_s=table.rows / seconds,
            heap=heap_after / heap,
            indexes=indexes_after / indexes,
            wal_row=(wal_after - wal) / table.rows,
            seconds=seconds,
        )


def begin(dsn: str) -> None:
    """Install the ledger, and make hold and triggers of the change."""
    with connect(parse(dsn), command="benchmark") as connection:
        install(connection)
        statement = text("SELECT expandcontract.begin_change(:name, 'mapped', CAST(:shape AS jsonb))")
        connection.execute(statement, {"name": CHANGE, "shape": json.dumps(Shape(mappings=(WORK,)).document())})
        connection.commit()
