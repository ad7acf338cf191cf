"""Takes the change of one recipe forward, back and forward again, with an old and a new client at every step."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import psycopg
from alembic import command
from alembic.config import Config

from expandcontract.config.load import load
from expandcontract.core.color import Color
from expandcontract.core.fit import fitting
from expandcontract.core.phase import Move, Phase
from expandcontract.core.plan import next_move
from expandcontract.core.release import Speaks
from expandcontract.ledger import Ledger
from expandcontract.pg.connect import connect, parse
from expandcontract.runner import Runner
from expandcontract.runner.observe import merged
from expandcontract.runner.place import Place

if TYPE_CHECKING:
    from expandcontract.core.change import ChangeState
    from expandcontract.pg.server import LocalServer
    from tests.fix_project import Project

REVISION = '''"""the tables"""
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.get_bind().connection.cursor().execute({setup!r})


def downgrade() -> None:
    raise NotImplementedError
'''
NUMBERS = count(1_000_000)
TIMES = 3


@dataclass(frozen=True, kw_only=True)
class Case:
    """One use of a recipe.

    Attributes:
        name: Of the change; also the test's.
        recipe: As ``ec new`` calls it.
        arguments: Of the recipe.
        setup: The tables, with a few rows, as the old release knows them; roles ``app_blue`` and ``app_green`` exist.
        old: Statements of the old release; ``%(n)s`` is a number never used before. Each must succeed, in a
            transaction of its own, in every phase in which a release that speaks ``old`` fits.
        new: The same of the new release.
        models: Python source of the models once all is done, with ``metadata``; empty where none are compared.
        irreversible: What the refusal of the last roll-back says; empty where the way back leads to ``planned``.
        rows: A query whose rows the contract must leave as the cut-over had them.
    """

    name: str
    recipe: str
    arguments: dict[str, Any]
    setup: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    models: str = ""
    irreversible: str = ""
    rows: str = ""


@dataclass
class Drive:
    """One case in one project; every command goes through the runner, as the command line's do.

    Attributes:
        case: The case.
        project: A folder with settings, on an empty database.
        server: Where the database is.
        failed: Statements of clients that failed where their release fits, with phase and error.
    """

    case: Case
    project: Project
    server: LocalServer
    failed: list[str] = field(default_factory=list)

    @property
    def runner(self) -> Runner:
        """A fresh runner, so that files written since are read."""
        settings = load(self.project.directory, database=self.project.database)
        return Runner(settings, self.project.directory)

    def config(self, database: str) -> Config:
        """Alembic's configuration for a database."""
        config = Config(str(self.project.directory / "alembic.ini"))
        config.set_main_option("sqlalchemy.url", database)
        return config

    def prepare(self) -> None:
        """Scaffold, make the tables, give release v1 the traffic, write the pair."""
        list(self.runner.init())
        versions = self.project.directory / "migrations" / "versions"
        (versions / "0001_tables.py").write_text(REVISION.format(setup=self.case.setup), encoding="utf-8")
        command.upgrade(self.config(self.project.database), "head")
        self.do("deploy", "blue", "v1")
        self.do("switch", "blue", (100,))
        self.runner.new(self.case.recipe, name=self.case.name, **self.case.arguments)

    def do(self, verb: str, *arguments: Any, **more: Any) -> None:
        """One moving command, to its end."""
        places = [Color(a) if a in ("blue", "green") else a for a in arguments]
        list(getattr(self.runner, verb)(*places, **more))

    def state(self) -> ChangeState:
        """The change as it stands."""
        place = Place(load(self.project.directory, database=self.project.database), self.project.directory)
        with connect(parse(self.project.database), command="test") as connection:
            return next(c for c in merged(place, Ledger(connection)) if c.name == self.case.name)

    def advance(self) -> None:
        """The next move, with a release where it wants one."""
        state = self.state()
        releases = {Move.DUAL_WRITE: "v2", Move.CUT_OVER: "v3"}
        release = None if state.unnoticed else releases.get(next_move(state) or Move.EXPAND)
        self.do("advance", [self.case.name], release=release)

    def clients(self) -> None:
        """Let both releases do their work, each where it fits."""
        state = self.state()
        for speaks, statements in ((Speaks.OLD, self.case.old), (Speaks.NEW, self.case.new)):
            if speaks in fitting(state):
                self._client(state, speaks, statements)

    def _client(self, state: ChangeState, speaks: Speaks, statements: tuple[str, ...]) -> None:
        with psycopg.connect(self.project.database, autocommit=True) as connection:
            connection.execute("SELECT set_config('expandcontract.speaks', %s, false)", (f"{state.name}={speaks}",))
            for _ in range(TIMES):
                number = next(NUMBERS)
                for statement in statements:
                    try:
                        connection.execute(statement, {"n": number})
                    except psycopg.Error as exc:
                        self.failed.append(f"{state.phase}, {speaks}: {statement}: {exc}")

    def dump(self, database: str | None = None) -> str:
        """The schema without the ledger, as ``pg_dump`` writes it."""
        done = subprocess.run(
            [
                self.server.bin / "pg_dump",
                "--schema-only",
                "--exclude-schema=expandcontract",
                database or self.project.database,
            ],
            capture_output=True,
            text=True,
            check=True,
        )
        return "\n".join(line for line in done.stdout.splitlines() if "restrict" not in line)

    def forward(self, *, until: Phase | None = None) -> None:
        """On to ``until``, or to the last phase before the contract; the clients work in every phase."""
        self.clients()
        while not (state := self.state()).ended and state.phase is not until:
            if until is None and state.phase is Phase.CUT_OVER:
                return
            self.advance()
            self.clients()

    def back(self, *, to: Phase = Phase.PLANNED) -> None:
        """Back to ``to``; the clients work in every phase. A color is emptied of the new release first."""
        while self.state().phase is not to:
            if self.state().phase is Phase.EXPANDED:
                self.free()
            self.do("rollback", [self.case.name])
            self.clients()

    def free(self) -> None:
        """Put the old release on the idle color, so that none that speaks of the change is deployed."""
        weights = self.project.weights()
        self.do("deploy", "green" if "blue=100" in weights else "blue", "v1")

    def contract(self) -> None:
        """The window is over, the previous color has the new release too, and the old shape goes."""
        self.project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
        if not self.state().unnoticed:
            self.do("deploy", "green" if "blue=100" in self.project.weights() else "blue", "v3")
        rows = self.project.sql(self.case.rows) if self.case.rows else []
        self.advance()
        assert rows == (self.project.sql(self.case.rows) if self.case.rows else [])
        self.clients()

    def fresh(self) -> str:
        """The schema after ``alembic upgrade heads`` on an empty database."""
        name = f"fresh_{next(NUMBERS)}"
        with psycopg.connect(self.server.dsn(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        command.upgrade(self.config(self.server.dsn(name)), "heads")
        return self.dump(self.server.dsn(name))

    def check_models(self) -> None:
        """``alembic check`` against the models finds nothing to do."""
        folder = self.project.directory
        (folder / "models.py").write_text(self.case.models, encoding="utf-8")
        env = folder / "migrations" / "env.py"
        source = env.read_text(encoding="utf-8")
        given = "import runpy\n\ntarget_metadata = runpy.run_path({!r})['metadata']".format(str(folder / "models.py"))
        env.write_text(source.replace("target_metadata = None", given), encoding="utf-8")
        command.check(self.config(self.project.database))
