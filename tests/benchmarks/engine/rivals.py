"""Who fills the column: ``ec``, one UPDATE, batches by key, and the way of the peers whose triggers compute."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import psycopg

from expandcontract.backfill.fill import fill
from expandcontract.config.settings import Settings
from expandcontract.pg.connect import parse
from expandcontract.runner.filling import how
from tests.benchmarks.engine.ground import CHANGE, WORK

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.engine.tables import Table

ONE = "UPDATE users SET display_name = full_name WHERE display_name IS NULL"
BOUND = "SELECT max({key}::text) FROM (SELECT {key} FROM users WHERE {key} > %s ORDER BY {key} LIMIT %s) AS batch"
BY_KEY = """UPDATE users SET display_name = full_name
WHERE {key} > %s AND {key} <= %s AND display_name IS NULL"""
TRIGGER = """
ALTER TABLE users ADD COLUMN _needs_backfill boolean DEFAULT true;
CREATE FUNCTION compute() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_path text := (SELECT current_setting('search_path'));
BEGIN
    PERFORM set_config('search_path', 'public', true);
    NEW.display_name := NEW.full_name;
    NEW._needs_backfill := false;
    PERFORM set_config('search_path', v_path, true);
    RETURN NEW;
END $$;
CREATE TRIGGER compute BEFORE INSERT OR UPDATE ON users FOR EACH ROW EXECUTE FUNCTION compute();
"""
TOUCH = """
WITH batch AS (
    SELECT {key} FROM users WHERE {key} > %s AND _needs_backfill ORDER BY {key} LIMIT 1000 FOR NO KEY UPDATE
), touched AS (UPDATE users SET {key} = users.{key} FROM batch WHERE users.{key} = batch.{key} RETURNING users.{key})
SELECT max({key}::text) FROM touched
"""
LOWEST = {"uuid": "00000000-0000-0000-0000-000000000000"}


def update(dsn: str, table: Table) -> None:
    """The whole table in one statement."""
    del table
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(ONE)


def keyset(size: int) -> Callable[[str, Table], None]:
    """Batches of so many rows in the order of the key, as most hand-written backfills go."""

    def run(dsn: str, table: Table) -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            last = LOWEST.get(table.name, "0")
            while True:
                found = connection.execute(_of(BOUND, table), (last, size)).fetchone()
                if found is None or found[0] is None:
                    return
                connection.execute(_of(BY_KEY, table), (last, found[0]))
                last = found[0]

    return run


def touch(dsn: str, table: Table) -> None:
    """Batches of 1,000 rows, each written with its own key, so that a trigger computes: as pgroll does it."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(TRIGGER)
        last = LOWEST.get(table.name, "0")
        while True:
            found = connection.execute(_of(TOUCH, table), (last,)).fetchone()
            if found is None or found[0] is None:
                return
            last = found[0]


def _of(statement: str, table: Table) -> bytes:
    # max() knows no uuid before PostgreSQL 18
    if table.name == "uuid":
        statement = statement.replace("max({key}::text)", "(array_agg({key}::text ORDER BY {key} DESC))[1]")
    else:
        statement = statement.replace("max({key}::text)", "max({key})::text")
    return statement.replace("{key}", table.key).encode()


def ours(workers: int) -> Callable[[str, Table], None]:
    """``ec`` as it is configured by default, with so many workers."""

    def run(dsn: str, table: Table) -> None:
        del table
        for _ in fill(parse(dsn), CHANGE, WORK, replace(how(Settings()), workers=workers), epoch=0):
            pass

    return run
