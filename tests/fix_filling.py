"""A mapped table in expanded state, whose every write is counted, to be filled by processes of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill.comparison import Comparison
from expandcontract.backfill.job import How
from expandcontract.backfill.parity import verify
from expandcontract.core.mapping import Mapping
from expandcontract.core.shape import Shape
from expandcontract.pg.connect import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.backfill.parity import ParityProgress
    from expandcontract.core.shape import Work

CHANGE = "users_full_name_to_display_name"
WORK = Mapping("users", forward={"display_name": "upper(full_name)"}, reverse={"full_name": "lower(display_name)"})
TABLE = """
CREATE TABLE users (id bigint PRIMARY KEY, full_name text, display_name text) WITH (autovacuum_enabled = false);
INSERT INTO users SELECT n, 'name of ' || n FROM generate_series(1, %(rows)s) AS n;
CREATE TABLE written (id bigint, by text DEFAULT current_setting('application_name'));
CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO written (id) VALUES (NEW.id); RETURN NULL; END $$;
"""
COUNTED = "CREATE TRIGGER counted AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION count_write()"


def begin(connection: psycopg.Connection, *work: Work, name: str = CHANGE) -> None:
    """Hold and triggers of a change; the ledger is there already."""
    shape = Shape(
        mappings=tuple(item for item in work if isinstance(item, Mapping)),
        fills=tuple(item for item in work if not isinstance(item, Mapping)),  # type: ignore[misc]
    )
    kind = "mapped" if shape.mappings else "filled"
    document = json.dumps(shape.document())
    connection.execute("SELECT expandcontract.begin_change(%s, %s, %s::jsonb)", (name, kind, document))


def mend(database: str, work: Work) -> Iterator[ParityProgress]:
    """Compare every row and repair, as a backfill does at its end."""
    asked = Comparison(url=parse(database), change=CHANGE, work=work, how=How(), repair=True, epoch=0)
    return verify(asked)


@dataclass
class Filling:
    """A table to be filled.

    Attributes:
        database: Its address.
    """

    database: str

    def prepare(self, rows: int) -> None:
        """Make the table, with that many rows, and begin the change."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            with psycopg.ClientCursor(connection) as cursor:
                cursor.execute(TABLE, {"rows": rows})
            begin(connection, WORK)
            connection.execute(COUNTED)

    def start(self, *, workers: int = 1, lease: float = 30.0) -> subprocess.Popen[str]:
        """A process that fills; returns once it has begun."""
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.filler", self.database, "--workers", str(workers), "--lease", str(lease)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        process.stdout.readline()
        return process

    def sql(self, query: str) -> list[tuple[object, ...]]:
        """Ask."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            return connection.execute(query).fetchall()

    def sql_one(self, script: str) -> None:
        """Run a statement, or a script in one transaction, that gives no rows."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            connection.execute(script)

    def faults(self) -> dict[str, list[tuple[object, ...]]]:
        """Rows that are wrong, rows written more than once, and segments that are not done; by what is wrong."""
        found = {
            "wrong": self.sql("SELECT id FROM users WHERE display_name IS DISTINCT FROM upper(full_name) LIMIT 5"),
            "written twice": self.sql("SELECT id, count(*) FROM written GROUP BY id HAVING count(*) > 1 LIMIT 5"),
            "not done": self.sql("SELECT first_page FROM expandcontract.segment WHERE done_at IS NULL LIMIT 5"),
        }
        return {fault: rows for fault, rows in found.items() if rows}


@pytest.fixture
def filling(ledger_database: str) -> Filling:
    """A database with the ledger; :meth:`Filling.prepare` makes the table."""
    return Filling(ledger_database)
