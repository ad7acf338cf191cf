"""The ledger's own schema, and the rules that it keeps by itself."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import text

from expandcontract.errors import LedgerMissingError
from expandcontract.ledger import install
from expandcontract.ledger.install import VERSION
from expandcontract.pg.connect import connect, parse

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer


def _dump(server: LocalServer, dsn: str) -> list[str]:
    done = subprocess.run(
        [server.bin / "pg_dump", "--schema-only", "--schema=expandcontract", dsn],
        capture_output=True,
        text=True,
        check=True,
    )
    return [line for line in done.stdout.splitlines() if "restrict" not in line]


@pytest.mark.parametrize("old", range(1, VERSION))
def test_a_fresh_install_equals_an_upgraded_one(
    server: LocalServer, database: str, ledger_database: str, old: int
) -> None:
    """Whatever version it began with, ``pg_dump`` shows the same schema."""
    with connect(parse(database), command="test") as connection:
        with connection.begin():
            install(connection, only_migrations=old)
        with connection.begin():
            assert install(connection)
        with connection.begin():
            assert not install(connection)
    assert _dump(server, ledger_database) == _dump(server, database)


def test_a_newer_ledger_is_left_alone(ledger_database: str) -> None:
    """A ledger that a newer release wrote is not touched."""
    with connect(parse(ledger_database), command="test") as connection, connection.begin():
        connection.execute(text("UPDATE expandcontract.installation SET version = version + 1"))
        with pytest.raises(LedgerMissingError, match="versions up to"):
            install(connection)


@pytest.mark.parametrize(
    "statement", ["UPDATE expandcontract.journal SET event = 'x'", "DELETE FROM expandcontract.journal"]
)
def test_the_journal_only_grows(ledger_database: str, statement: str) -> None:
    """UPDATE and DELETE are refused even to the owner."""
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute("SELECT expandcontract.journal_append(NULL, 'test', '{}'::jsonb)")
        with pytest.raises(psycopg.Error, match="only grows"):
            connection.execute(statement)
