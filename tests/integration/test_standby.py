"""DDL is replayed on standbys under the same lock, behind their readers; what has not been replayed is said."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import psycopg

from expandcontract.pg.standby import behind

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer


def test_a_standby_that_has_not_replayed_is_named(database: str, standby: LocalServer) -> None:
    """While its reader keeps a standby from replaying DDL the standby is named; once he has gone, none is."""
    name = database.rsplit("/", 1)[1]
    with psycopg.connect(database, autocommit=True) as primary:
        primary.execute("CREATE TABLE users (id int)")
        assert () == behind(primary)
        with closing(psycopg.connect(standby.dsn(name))) as reader:
            reader.execute("SELECT 1 FROM users")
            primary.execute("ALTER TABLE users ADD COLUMN name text")
            (said,) = behind(primary)
            assert said.startswith("standby walreceiver (127.0.0.1) has not replayed this change yet")
            reader.rollback()
        assert () == behind(primary)
