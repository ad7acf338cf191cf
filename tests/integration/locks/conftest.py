"""One connection to one scratch database for the whole session: each form has a schema of its own in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.pg.connect import connect, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from expandcontract.pg.server import LocalServer


@pytest.fixture(scope="session")
def scratch(server: LocalServer) -> Iterator[Connection]:
    """A connection to a database of its own."""
    with psycopg.connect(server.dsn(), autocommit=True) as admin:
        admin.execute("CREATE DATABASE scratch")
    with connect(parse(server.dsn("scratch")), command="test") as connection:
        yield connection
