"""A table that a Python function fills, and the functions of ``tests.backfills`` as fills of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg

from expandcontract.backfill.fill import fill
from expandcontract.backfill.job import How
from expandcontract.core.fill import Fill
from expandcontract.core.pace import Pace
from expandcontract.pg.connect import parse
from tests.fix_filling import CHANGE, begin

WHOLE = Pace(window_pages=1000, stripes=1, batch_pages=1000, target=timedelta(seconds=60))
TABLES = {
    "key": "CREATE TABLE users (id bigint PRIMARY KEY, full_name text, display_name varchar(20))",
    "no key": "CREATE TABLE users (id bigint, full_name text, display_name varchar(20))",
    "parts": "CREATE TABLE users (id bigint PRIMARY KEY, full_name text, display_name varchar(20))"
    " PARTITION BY RANGE (id);"
    "CREATE TABLE users_low PARTITION OF users FOR VALUES FROM (0) TO (100);"
    "CREATE TABLE users_high PARTITION OF users DEFAULT",
}
ROWS = 300
RESULT = "SELECT count(*) FROM users WHERE display_name = upper(full_name)"


def of(name: str, **more: Any) -> Fill:
    """A fill of the table by one of the test's functions."""
    return Fill("users", function=f"tests.backfills:{name}", reads=["id", "full_name"], writes=["display_name"], **more)


class Table:
    """The table, and a change that fills it."""

    def __init__(self, address: str, shape: str) -> None:
        self.address = address
        self.run(TABLES[shape])
        self.run(f"INSERT INTO users SELECT n, 'name ' || n FROM generate_series(1, {ROWS}) AS n")

    def run(self, script: str) -> list[tuple[Any, ...]]:
        """Run SQL by hand."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            cursor = connection.execute(script)
            return cursor.fetchall() if cursor.description else []

    def begin(self, work: Fill) -> None:
        """Begin the change."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            begin(connection, work)

    def fill(self, work: Fill, **how: Any) -> None:
        """Fill it, from the change's begin."""
        self.begin(work)
        list(fill(parse(self.address), CHANGE, work, How(**{"pace": WHOLE, "most_pages": 1000, **how}), epoch=0))
