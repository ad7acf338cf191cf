"""PgBouncer before a server, in a process of its own, on loopback."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.pg.server import free_port
from tests.switches.rig import program

if TYPE_CHECKING:
    from collections.abc import Iterator

PEOPLE = ("postgres", "app_blue", "app_green")
CONFIGURATION = """\
[databases]
* = host=127.0.0.1 port={server}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {people}
pool_mode = transaction
ignore_startup_parameters = extra_float_digits{dropped}
"""


@dataclass(frozen=True)
class Pooler:
    """Keeps sessions of the server open between the transactions of its clients.

    Attributes:
        port: On 127.0.0.1.
    """

    port: int

    def address(self, database: str, user: str = "postgres") -> str:
        """The same database, through the pooler."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database.rsplit('/', 1)[1]}"


@contextmanager
def pooler(server: int, *, drops: bool = False) -> Iterator[Pooler]:
    """A pooler before the server on that port, for as long as the block lasts.

    Args:
        server: The server's port.
        drops: Whether connection options are dropped in silence; otherwise a connection that has any is refused.
    """
    found = Pooler(free_port())
    with tempfile.TemporaryDirectory() as folder:
        settings, people, log = (Path(folder, name) for name in ("pgbouncer.ini", "people", "log"))
        people.write_text("".join(f'"{name}" ""\n' for name in PEOPLE), encoding="utf-8")
        dropped = ", options" if drops else ""
        text = CONFIGURATION.format(server=server, port=found.port, people=people, dropped=dropped)
        settings.write_text(text, encoding="utf-8")
        Path(folder).chmod(0o755)
        person = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}  # it refuses root
        with log.open("wb") as out:
            command = [program("pgbouncer"), str(settings)]
            process = subprocess.Popen(command, stdout=out, stderr=out, **person)  # type: ignore[call-overload]
        try:
            _wait(found, log)
            yield found
        finally:
            process.terminate()
            process.wait(20)


def _wait(found: Pooler, log: Path) -> None:
    for _ in range(200):
        try:
            psycopg.connect(found.address("/postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(log.read_text(encoding="utf-8")[-2000:])
