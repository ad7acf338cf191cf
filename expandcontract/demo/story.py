"""The story: the commands that a developer, a DBA and a release pipeline would type, in order."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import TYPE_CHECKING

import psycopg

from expandcontract.demo.load import Load, first_name
from expandcontract.demo.watch import Watch
from expandcontract.errors import FailedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.demo.house import House

CHANGE = "users_full_name_to_display_name"
LIMIT = 600  # seconds a command may take
REFUSED = 3


@dataclass
class Story:
    """One run of the demo.

    Attributes:
        house: What was started.
        rows: Rows of the table.
        told: Says a line aloud, where there is no live view.
    """

    house: House
    rows: int
    told: Callable[[str], None]
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=6))
    refusals: dict[str, str] = field(default_factory=dict)
    chapter: str = "planned"
    lost: int = 0
    _began: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        self.load = Load(f"http://127.0.0.1:{self.house.listen}")
        self.watch = Watch(self.house.dsn)

    @property
    def seconds(self) -> float:
        """Since the story began."""
        return monotonic() - self._began

    def run(self) -> None:
        """Tell it from the first line to the last; a command that behaves otherwise ends it.

        Raises:
            FailedError: A command did not end as it should.
        """
        self._before()
        self.load.start()
        self.watch.start()
        try:
            self._pause(2)
            self._forward()
            self._refusals()
            self._there_and_back()
            self._end()
            self._pause(2)
        finally:
            self.load.stop()
            self.watch.stop()
        self.lost = self._count_lost()

    def _before(self) -> None:
        self.ec("init")
        self.house.write_table(self.rows)
        self._python("alembic", "upgrade", "head")
        self.ec("deploy", "blue", "v1")
        self.ec("switch", "blue", "--steps", "100")
        self.ec("new", "rename-column", "users", "full_name", "display_name")

    def _forward(self) -> None:
        for phase, arguments in (
            ("expand", ()),
            ("dual-write", ("--release", "v2")),
            ("backfill", ()),
            ("cut-over", ("--release", "v3")),
        ):
            self._enter(phase)
            self.ec("advance", CHANGE, *arguments)

    def _refusals(self) -> None:
        self._enter("rollback window")
        said = self.ec("advance", CHANGE, expect=REFUSED)
        self.refusals["ec advance, within the window"] = _first(said, "closes at")
        said = self._python("alembic", "upgrade", "heads", expect=255)
        self.refusals["alembic upgrade heads"] = _first(said, "refused")
        try:
            with psycopg.connect(self.house.dsn, autocommit=True) as connection:
                connection.execute("SET lock_timeout = '1s'")
                connection.execute("ALTER TABLE users DROP COLUMN full_name")
        except psycopg.errors.DependentObjectsStillExist as exc:
            self.refusals["ALTER TABLE users DROP COLUMN full_name"] = str(exc).splitlines()[0]
        else:
            msg = "a hand-typed DROP COLUMN was not refused"
            raise FailedError(msg)

    def _there_and_back(self) -> None:
        self._enter("roll-back")
        self.ec("rollback", CHANGE)
        self._pause(2)
        self._enter("cut-over again")
        self.ec("advance", CHANGE, "--release", "v3", "--steps", "50,100")

    def _end(self) -> None:
        self._enter("rollback window")
        self.ec("deploy", "green", "v3")
        self.ec("gate", CHANGE, "contract", "--wait", "2m")
        self._enter("contract")
        self.ec("advance", CHANGE)
        self._enter("contracted")

    def _enter(self, chapter: str) -> None:
        self.chapter = self.load.phase = chapter

    @staticmethod
    def _pause(seconds: float) -> None:
        sleep(seconds)  # the load goes on meanwhile; that is what the pause is for

    def ec(self, *arguments: str, expect: int = 0) -> str:
        """Type ``ec …`` in the project's folder; returns what it said.

        Raises:
            FailedError: It ended otherwise than expected.
        """
        return self._python("expandcontract", *arguments, expect=expect)

    def _python(self, module: str, *arguments: str, expect: int = 0) -> str:
        shown = f"$ {'ec' if module == 'expandcontract' else module} {' '.join(arguments)}"
        self._say(shown)
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=self.house.directory,
            env=self.house.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        said = []
        try:
            assert process.stdout is not None  # noqa: S101  # asked for above
            for line in process.stdout:
                said.append(line.rstrip())
                self._say(f"  {line.rstrip()}")
            code = process.wait(LIMIT)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if code != expect:
            msg = f"{shown[2:]} ended with {code}, {expect} was expected: {' / '.join(said[-4:])}"
            raise FailedError(msg)
        return "\n".join(said)

    def _say(self, line: str) -> None:
        self.lines.append(line)
        self.told(line)

    def _count_lost(self) -> int:
        """Rows whose name is not the one that was acknowledged last, asked of the database itself."""
        with psycopg.connect(self.house.dsn) as connection:
            rows = connection.execute("SELECT id, display_name FROM users").fetchall()
        found: dict[int, str] = dict(rows)
        expected = {key: first_name(key) for key in range(1, self.rows + 1)} | self.load.acknowledged
        return sum(found.get(key) != name for key, name in expected.items())


def _first(said: str, sign: str) -> str:
    return next((line.strip() for line in said.splitlines() if sign in line), said.splitlines()[0] if said else "")
