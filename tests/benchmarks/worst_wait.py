"""The worst wait of an innocent SELECT behind DDL, ``ec`` beside plain Alembic, while readers hold transactions of 3 s.

Run it with ``python -m tests.benchmarks.worst_wait``. Another recipe is another line of :data:`RECIPES`.
"""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from expandcontract.pg.server import QUICK, LocalServer
from tests.fix_project import CHANGE, Answer, Project, _Answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READER_S, GAP_S = 3.0, 0.5
BOUND_S = 1.0 + 0.05
"""The tallest ordinary lock_timeout, and 50 ms for the statement itself."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A change in both ways.

    Attributes:
        name: As ``ec new`` has it.
        arguments: What follows it on the command line.
        change: The change's name.
        plain: What plain Alembic would run for the same end.
    """

    name: str
    arguments: tuple[str, ...]
    change: str
    plain: str


RECIPES = (
    Recipe(
        name="rename-column",
        arguments=("users", "full_name", "display_name"),
        change=CHANGE,
        plain='op.alter_column("users", "full_name", new_column_name="display_name")',
    ),
)
PLAIN = '''"""plain"""
from alembic import op

revision = "9999"
down_revision = "0001"


def upgrade() -> None:
    {statement}


def downgrade() -> None:
    raise NotImplementedError
'''


@dataclass
class Waits:
    """What the innocent client saw."""

    worst_s: float = 0.0
    selects: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def select(self, dsn: str) -> None:
        """SELECT until told to stop, each in a transaction of its own."""
        with psycopg.connect(dsn, autocommit=True) as connection:
            while not self.over.wait(0.002):
                began = time.monotonic()
                connection.execute("SELECT count(*) FROM users WHERE id < 10")
                self.worst_s = max(self.worst_s, time.monotonic() - began)
                self.selects += 1

    def read(self, dsn: str) -> None:
        """Hold a transaction that has read the table for three seconds, again and again."""
        with psycopg.connect(dsn) as connection:
            while not self.over.is_set():
                connection.execute("SELECT 1 FROM users LIMIT 1")
                self.over.wait(READER_S)
                connection.rollback()
                self.over.wait(GAP_S)


@contextmanager
def watched(dsn: str) -> Iterator[Waits]:
    """Clients at work: one that reads for long, and one that measures."""
    waits = Waits()
    threads = [threading.Thread(target=work, args=(dsn,)) for work in (waits.read, waits.select)]
    for thread in threads:
        thread.start()
    time.sleep(GAP_S)
    try:
        yield waits
    finally:
        waits.over.set()
        for thread in threads:
            thread.join()


def prepared(stack: ExitStack, server: LocalServer, name: str) -> Project:
    """A project with a database and a table of users, release v1 live on blue."""
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    answers = []
    for _ in range(2):
        answering = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        answering.status = 200  # type: ignore[attr-defined]
        threading.Thread(target=answering.serve_forever, args=(0.05,), daemon=True).start()
        stack.callback(answering.shutdown)
        answers.append(Answer(answering))
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    project = Project(directory, server.dsn(name))
    project.settings((answers[0], answers[1]))
    (directory / "weights").write_text("blue=100 green=0\n", encoding="utf-8")
    project.ec("init")
    project.first()
    project.ec("deploy", "blue", "v1")
    project.ec("switch", "blue", "--steps", "100")
    return project


def phases(project: Project, recipe: Recipe) -> dict[str, Callable[[], object]]:
    """Each move, as a call."""

    def contract() -> None:
        project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
        project.ec("deploy", "green", "v3")
        project.ec("advance", recipe.change)

    return {
        "expand": lambda: project.ec("advance", recipe.change),
        "dual-write": lambda: project.ec("advance", recipe.change, "--release", "v2"),
        "backfill": lambda: project.ec("advance", recipe.change),
        "cut-over": lambda: project.ec("advance", recipe.change, "--release", "v3"),
        "contract": contract,
    }


def measure(name: str, project: Project, work: Callable[[], object]) -> float:
    """Do it among the clients, print the worst wait, and give it in seconds."""
    with watched(project.database) as waits:
        began = time.monotonic()
        work()
        took = time.monotonic() - began
    print(f"{name:40} worst wait {waits.worst_s * 1000:7.0f} ms   {waits.selects:6} selects   took {took:5.1f} s")  # noqa: T201
    return waits.worst_s


def run(server: LocalServer, recipe: Recipe, number: int) -> bool:
    """Both ways for one recipe; says whether ours kept within the bound."""
    with ExitStack() as stack:
        plain = prepared(stack, server, f"plain_{number}")
        text = PLAIN.format(statement=recipe.plain)
        (plain.directory / "migrations" / "versions" / "9999_plain.py").write_text(text, encoding="utf-8")
        environment = plain.directory / "migrations" / "env.py"
        unguarded = environment.read_text(encoding="utf-8").replace("guard(context)", "pass")
        environment.write_text(unguarded, encoding="utf-8")
        measure(f"{recipe.name}, plain Alembic", plain, lambda: plain.run("alembic", "upgrade", "9999"))
        ours = prepared(stack, server, f"ours_{number}")
        ours.ec("new", recipe.name, *recipe.arguments)
        worst = max(measure(f"{recipe.name}, ec, {move}", ours, work) for move, work in phases(ours, recipe).items())
    return worst <= BOUND_S


def main() -> int:
    """Measure every recipe, or those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipes", nargs="*", default=[recipe.name for recipe in RECIPES])
    parser.add_argument("--pg", type=int, default=18, choices=(16, 18))
    asked = parser.parse_args()
    with LocalServer.start(version=asked.pg, settings=QUICK) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE ROLE app_blue LOGIN")
            connection.execute("CREATE ROLE app_green LOGIN")
        chosen = [recipe for recipe in RECIPES if recipe.name in asked.recipes]
        kept = [run(server, recipe, number) for number, recipe in enumerate(chosen)]
    print(f"bound {BOUND_S * 1000:.0f} ms: {'kept' if all(kept) else 'broken'}")  # noqa: T201
    return 0 if all(kept) else 1


if __name__ == "__main__":
    raise SystemExit(main())
