"""One connection to one scratch database for the whole session: each form has a schema of its own in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.pg.connect import connect, parse
from tests.fix_postgres import clone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from expandcontract.pg.server import LocalServer


@pytest.fixture(scope="session")
def scratch(server: LocalServer) -> Iterator[Connection]:
    """A connection to a database of its own."""
    with clone(server, "template1") as address, connect(parse(address), command="test") as connection:
        yield connection
