"""A real server for the session, and for each test a database cloned from a template."""

from __future__ import annotations

from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.ledger import install
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.server import QUICK, LocalServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = {**QUICK, "max_prepared_transactions": "10"}
STATEMENTS = {"shared_preload_libraries": "pg_stat_statements"}
CONTRIB = {18: STATEMENTS, 16: {}, 15: STATEMENTS}  # the wheel with 16 has no contrib modules
NUMBERS = count()


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[LocalServer]:
    """PostgreSQL, with an empty template and one that has the ledger, and a login role for each color."""
    version = request.config.getoption("--pg")
    with LocalServer.start(version=version, settings={**SETTINGS, **CONTRIB[version]}) as started:
        with psycopg.connect(started.dsn(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE template_ledger")
            connection.execute("CREATE ROLE app_blue LOGIN")
            connection.execute("CREATE ROLE app_green LOGIN")
        with connect(parse(started.dsn("template_ledger")), command="test") as ledger, ledger.begin():
            install(ledger)
        yield started


@contextmanager
def clone(server: LocalServer, template: str) -> Iterator[str]:
    """The address of a database made from a template, for as long as the block runs."""
    name = f"test_{next(NUMBERS)}"
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.dsn(name)
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(server: LocalServer) -> Iterator[str]:
    """The address of a fresh, empty database."""
    with clone(server, "template1") as address:
        yield address


@pytest.fixture
def ledger_database(server: LocalServer) -> Iterator[str]:
    """The address of a fresh database with the ledger and nothing else."""
    with clone(server, "template_ledger") as address:
        yield address
