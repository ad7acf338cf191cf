"""DDL is replayed on standbys under the same lock, behind their readers; what has not been replayed is said."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.pg.server import QUICK, LocalServer, _person
from expandcontract.pg.standby import behind

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def standby(server: LocalServer, request: pytest.FixtureRequest) -> Iterator[LocalServer]:
    """A standby of the session's server, whose readers are never cancelled."""
    place = Path(tempfile.mkdtemp(prefix="ec-standby-"))
    person = _person()
    if person:
        place.chmod(0o755)
        os.chown(place, person["user"], person["group"])
    command = [server.bin / "pg_basebackup", "-h", "127.0.0.1", "-p", str(server.port), "-U", "postgres", "-R"]
    command += ["-D", place / "data", "--checkpoint=fast", "--no-sync"]
    subprocess.run(command, check=True, cwd="/", capture_output=True, **person)
    settings = {**QUICK, "max_prepared_transactions": "10", "max_standby_streaming_delay": "-1"}
    version = request.config.getoption("--pg")
    with LocalServer.start(place, version=version, settings=settings) as started:
        yield started
    shutil.rmtree(place, ignore_errors=True)


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
