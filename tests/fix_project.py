"""A project in a folder of its own, colors that answer their probes, and ``ec`` as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import TYPE_CHECKING
from unittest.mock import patch

import psycopg
import pytest

from expandcontract.cli import main
from tests.sessions import ours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from expandcontract.pg.server import LocalServer

CHANGE = "users_full_name_to_display_name"
FIRST = '''"""the users"""
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TABLE users (id bigserial PRIMARY KEY, full_name text NOT NULL, nick text, visits int)")
    op.execute("CREATE INDEX ix_users_full_name ON users (full_name)")
    op.execute("INSERT INTO users (full_name, nick) SELECT 'User ' || n, 'n' || n FROM generate_series(1, 5000) AS n")
    op.execute("GRANT ALL ON users TO app_blue, app_green")
    op.execute("GRANT ALL ON SEQUENCE users_id_seq TO app_blue, app_green")


def downgrade() -> None:
    op.execute("DROP TABLE users")
'''
SETTINGS = """\
[window]
length = "{window}"

[colors.blue]
role = "app_blue"
url = "{blue}"

[colors.green]
role = "app_green"
url = "{green}"

[traffic]
switch = "command"
soak = "{soak}"

[traffic.options]
read = "cat weights"
write = "sh -c 'echo blue={{blue}} green={{green}} > weights'"

[deploy]
deployer = "command"
command = "true"

[probe]
in_a_row = 1
budget = "1s"
"""


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Answer as the color was told to."""
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(b"as told")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@dataclass
class Answer:
    """A color that answers every probe with ``status``."""

    server: ThreadingHTTPServer

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def status(self, status: int) -> None:
        """Answer with this from now on."""
        self.server.status = status  # type: ignore[attr-defined]


@pytest.fixture
def colors() -> Iterator[tuple[Answer, Answer]]:
    """Blue and green, both well."""
    answers = []
    for _ in range(2):
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        server.status = 200  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        answers.append(Answer(server))
    yield answers[0], answers[1]
    for answer in answers:
        answer.server.shutdown()
        answer.server.server_close()


@dataclass
class Project:
    """A project under test.

    Attributes:
        directory: Its folder.
        database: The address of its database.
    """

    directory: Path
    database: str

    @property
    def environment(self) -> dict[str, str]:
        """What its commands find in their environment."""
        return {**os.environ, "EC_DATABASE": self.database, "COLUMNS": "200"}

    def run(self, module: str, *arguments: str, expect: int | None = 0) -> str:
        """Run a Python module as a process; returns what it said, stdout first."""
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = done.stdout + done.stderr
        assert expect is None or expect == done.returncode, f"{module} {arguments}: {done.returncode}\n{said}"
        return said

    def ec(self, *arguments: str, expect: int = 0) -> str:
        """Run ``ec``."""
        return self.run("expandcontract", *arguments, expect=expect)

    def document(self, *arguments: str, expect: int = 0) -> dict[str, object]:
        """Run ``ec … --json`` and read its one document."""
        said = self.ec(*arguments, "--json", expect=expect)
        found: dict[str, object] = json.JSONDecoder().raw_decode(said[said.index("{") :])[0]
        return found

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``ec`` and do not wait; it hears Ctrl-C, which who runs us in the background may ignore."""
        heard = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                [sys.executable, "-m", "expandcontract", *arguments],
                cwd=self.directory,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        finally:
            signal.signal(signal.SIGINT, heard)

    def sql(self, statement: str) -> list[tuple[object, ...]]:
        """Run a statement as the owner, by hand."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def left_alone(self) -> bool:
        """Whether no ``ec`` has a session in its database."""
        return not self.sql(f"SELECT 1 {ours()}")

    def phase(self, change: str = CHANGE) -> str:
        """The change's phase, as the database says."""
        return str(self.sql(f"SELECT expandcontract.phase('{change}')")[0][0])

    def weights(self) -> str:
        """What the balancer was told last."""
        return (self.directory / "weights").read_text(encoding="utf-8").strip()

    def first(self) -> None:
        """Write the history's first revision, a table with rows, and apply it."""
        (self.directory / "migrations" / "versions" / "0001_users.py").write_text(FIRST, encoding="utf-8")
        self.run("alembic", "upgrade", "head")

    def to(self, phase: str) -> None:
        """Take the change from ``planned`` to ``phase``."""
        self.ec("advance", CHANGE)
        for name, arguments in (
            ("dual_writing", ("--release", "v2")),
            ("backfilled", ()),
            ("cut_over", ("--release", "v3")),
        ):
            if self.phase() == phase:
                return
            self.ec("advance", CHANGE, *arguments)
            assert name == self.phase()

    def settings(self, colors: tuple[Answer, Answer], *, window: str = "24h", soak: str = "0s") -> None:
        """Write its settings."""
        text = SETTINGS.format(window=window, soak=soak, blue=colors[0].url, green=colors[1].url)
        (self.directory / "expandcontract.toml").write_text(text, encoding="utf-8")


@dataclass
class Inside(Project):
    """A project whose ``ec`` runs in this process: the same command line, without a start of Python for each."""

    def ec(self, *arguments: str, expect: int = 0) -> str:
        """Run ``ec``; returns what it said, stdout first."""
        out, err = StringIO(), StringIO()
        variables = {"EC_DATABASE": self.database, "COLUMNS": "200"}
        with chdir(self.directory), patch.dict(os.environ, variables), redirect_stdout(out), redirect_stderr(err):
            code = main.run(list(arguments))
        said = out.getvalue() + err.getvalue()
        assert expect == code, f"ec {arguments}: {code}\n{said}"
        return said


@pytest.fixture
def empty(tmp_path: Path, database: str, colors: tuple[Answer, Answer]) -> Project:
    """A folder with settings and a balancer that gives blue everything; the database is empty."""
    project = Project(tmp_path, database)
    project.settings(colors)
    (tmp_path / "weights").write_text("blue=100 green=0\n", encoding="utf-8")
    return project


@pytest.fixture
def bare(empty: Project) -> Project:
    """A project with the ledger, a table with rows and release v1 live on blue; no pair yet."""
    empty.ec("init")
    empty.first()
    empty.ec("deploy", "blue", "v1")
    empty.ec("switch", "blue", "--steps", "100")
    return empty


@pytest.fixture
def project(bare: Project) -> Project:
    """The same, with the pair that renames ``full_name`` to ``display_name``."""
    bare.ec("new", "rename-column", "users", "full_name", "display_name")
    return bare


@pytest.fixture
def owned(empty: Project, server: LocalServer) -> Project:
    """The empty project, its database owned by a role that may nothing else."""
    name = empty.database.rsplit("/", 1)[1]
    owner = f"owner_of_{name}"
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {owner} LOGIN")
        connection.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
    return replace(empty, database=server.dsn(name, user=owner))
