"""A streaming standby of the session's server, made with pg_basebackup."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expandcontract.pg.server import QUICK, LocalServer, _person

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
