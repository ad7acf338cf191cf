"""The worst wait of an innocent SELECT behind DDL, ``ec`` beside plain Alembic, while readers hold transactions of 3 s.

Run it with ``make bench``. Every recipe goes forward to cut-over, back to planned, and at last to its end; the
set-ups are those of the cases in ``tests/compat``. Each wait is held against the ``lock_timeout`` of the attempt that
was under way: the wait may be longer by 50 ms.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from alembic import command
from psycopg import sql

from expandcontract.core.phase import Phase
from expandcontract.pg import ddl
from expandcontract.pg.server import QUICK, LocalServer
from tests.benchmarks.plain import PLAIN
from tests.compat.drive import REVISION, Case, Drive
from tests.compat.test_recipes import CASES
from tests.fix_project import Answer, Project, _Answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MARGIN_S = 0.05
STATEMENT = '''"""plain"""
from alembic import op

revision = "9999"
down_revision = "0001"


def upgrade() -> None:
    op.get_bind().connection.cursor().execute({statement!r})


def downgrade() -> None:
    raise NotImplementedError  # plain migrations go one way here
'''


@dataclass(frozen=True, kw_only=True)
class Wait:
    """The longest wait of one phase.

    Attributes:
        phase: The move, and where it led from.
        worst_s: As the client saw it.
        allowed_s: The ``lock_timeout`` of the attempt then under way, and the margin; 0 where none limits it.
        over_s: By how much a wait of the phase was over what was allowed and the machine's own delay; 0 where none was.
        noise_s: That delay: the longest that a query took which needs no table.
        selects: How many there were.
        took_s: How long the move took.
    """

    phase: str
    worst_s: float
    allowed_s: float
    over_s: float
    noise_s: float
    selects: int
    took_s: float


@dataclass(frozen=True)
class Tried:
    """An attempt: when it was under way, and how long it would have waited for its locks."""

    began: float
    ended: float
    limit_s: float


class _Attempts:
    """What ``pg.ddl`` tries, noted as it happens."""

    def __init__(self) -> None:
        self.made: list[Tried] = []
        plain = ddl._Request._try  # noqa: SLF001  # nothing tells of an attempt that is given its lock

        def noted(request: Any, attempt: Any) -> Any:
            began = time.monotonic()
            try:
                return plain(request, attempt)
            finally:
                self.made.append(Tried(began, time.monotonic(), attempt.lock_timeout.total_seconds()))

        ddl._Request._try = noted  # type: ignore[method-assign,assignment]  # noqa: SLF001

    def limit(self, began: float, ended: float) -> float:
        """The longest ``lock_timeout`` of the attempts that a wait overlaps; 0 where there is none."""
        return max((one.limit_s for one in self.made if one.began < ended and began < one.ended), default=0.0)


@contextmanager
def bystander(dsn: str) -> Iterator[subprocess.Popen[str]]:
    """Clients at work in a process of their own: one that reads for long, and one that measures."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.bystander", dsn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()  # it reads, and holds its transaction
            yield process
        finally:
            if process.poll() is None:
                process.kill()


def measured(name: str, dsn: str, attempts: _Attempts, work: Callable[[], object]) -> Wait:
    """Do the work among the clients."""
    with bystander(dsn) as process:
        began = time.monotonic()
        work()
        took = time.monotonic() - began
        said, _ = process.communicate("over\n")
    found = json.loads(said)
    waits = [(end - start, attempts.limit(start, end)) for start, end in found["waits"]]
    worst, limit = max(waits, default=(0.0, 0.0))
    over = max((wait - limit - MARGIN_S - found["noise"] for wait, limit in waits), default=0.0)
    return Wait(
        phase=name,
        worst_s=worst,
        allowed_s=limit + MARGIN_S,
        over_s=max(over, 0.0),
        noise_s=found["noise"],
        selects=found["selects"],
        took_s=took,
    )


def prepared(stack: ExitStack, admin: str, case: Case, name: str) -> Drive:
    """The case in a project of its own, on a database of its own."""
    with psycopg.connect(admin, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    answers = []
    for _ in range(2):
        answering = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
        answering.status = 200  # type: ignore[attr-defined]
        threading.Thread(target=answering.serve_forever, args=(0.05,), daemon=True).start()
        stack.callback(answering.shutdown)
        answers.append(Answer(answering))
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    os.chdir(directory)
    project = Project(directory, f"{admin.rsplit('/', 1)[0]}/{name}")
    project.settings((answers[0], answers[1]))
    (directory / "weights").write_text("blue=100 green=0\n", encoding="utf-8")
    return Drive(case, project, None)  # type: ignore[arg-type]  # no schema is dumped here


def plain(stack: ExitStack, admin: str, case: Case, attempts: _Attempts) -> Wait:
    """What plain Alembic does for the same end."""
    drive = prepared(stack, admin, case, f"plain_{case.name}")
    list(drive.runner.init())
    versions = drive.project.directory / "migrations" / "versions"
    (versions / "0001_tables.py").write_text(REVISION.format(setup=case.setup), encoding="utf-8")
    environment = drive.project.directory / "migrations" / "env.py"
    environment.write_text(environment.read_text(encoding="utf-8").replace("guard(context)", "pass"), encoding="utf-8")
    config = drive.config(drive.project.database)
    command.upgrade(config, "0001")
    text = STATEMENT.format(statement=PLAIN[case.name])
    (versions / "9999_plain.py").write_text(text, encoding="utf-8")
    return measured("plain", drive.project.database, attempts, lambda: command.upgrade(config, "9999"))


def moves(drive: Drive, attempts: _Attempts) -> Iterator[Wait]:
    """Forward, back, forward and to the end, each move by itself."""
    name, database = drive.case.name, drive.project.database
    last = Phase.EXPANDED if drive.case.irreversible else Phase.PLANNED

    def back() -> None:
        drive.do("rollback", [name])

    while not (state := drive.state()).ended and state.phase is not Phase.CUT_OVER:
        yield measured(f"forward from {state.phase}", database, attempts, drive.advance)
    while (state := drive.state()).phase is not last:
        if state.phase is Phase.EXPANDED:
            drive.free()
        yield measured(f"back from {state.phase}", database, attempts, back)
    while not (state := drive.state()).ended and state.phase is not Phase.CUT_OVER:
        drive.advance()  # the same as before, unseen
    if not drive.state().ended:
        drive.project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
        if not drive.state().unnoticed:
            drive.do("deploy", "green" if "blue=100" in drive.project.weights() else "blue", "v3")
        yield measured("contract", database, attempts, drive.advance)


def one(admin: str, name: str) -> dict[str, Any]:
    """Both ways for one case."""
    (case,) = (case for case in CASES if case.name == name)
    attempts = _Attempts()
    with ExitStack() as stack:
        beside = plain(stack, admin, case, attempts)
        drive = prepared(stack, admin, case, f"ours_{case.name}")
        drive.tables()
        drive.pair()
        found = list(moves(drive, attempts))
        os.chdir("/")
    return {
        "case": case.name,
        "recipe": case.recipe,
        "plain": vars(beside),
        "moves": [vars(wait) for wait in found],
        "attempts": len(attempts.made),
    }


def _apart(admin: str, name: str) -> dict[str, Any]:
    """One case in a process of its own, since Alembic's proxies and the working directory are a process's."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.worst_wait", "--one", name, "--server", admin],
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"case"')]
    if not lines:
        return {"case": name, "failed": (done.stderr or done.stdout).strip()[-2000:]}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def row(found: dict[str, Any]) -> str:
    """One line of the table."""
    if "failed" in found:
        return f"{found['case']:24} failed: {found['failed'].splitlines()[-1]}"
    worst = max(found["moves"], key=lambda wait: wait["worst_s"])
    over = max(wait["over_s"] for wait in found["moves"])
    ratio = found["plain"]["worst_s"] / max(worst["worst_s"], 0.001)
    return (
        f"{found['recipe']:18} {found['case']:24} plain {found['plain']['worst_s'] * 1000:6.0f} ms   "
        f"ec {worst['worst_s'] * 1000:6.0f} ms in {worst['phase']:24} ({ratio:4.1f} x)   "
        f"{'within' if not over else f'over by {over * 1000:.0f} ms'}"
    )


def main() -> int:
    """Measure every recipe, or the cases named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", help="names of cases; default: those that PLAIN has")
    parser.add_argument("--pg", type=int, default=18, choices=(16, 18))
    parser.add_argument("--together", type=int, default=4, help="how many cases at a time; they mostly sleep")
    parser.add_argument("--json", type=Path, help="write all that was measured here")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--server", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(one(asked.server, asked.one)))  # noqa: T201
        return 0
    results = []
    with LocalServer.start(version=asked.pg, settings=QUICK) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE ROLE app_blue LOGIN")
            connection.execute("CREATE ROLE app_green LOGIN")
        with ThreadPoolExecutor(asked.together) as pool:
            for found in pool.map(lambda name: _apart(server.dsn(), name), asked.cases or list(PLAIN)):
                results.append(found)
                print(row(found), flush=True)  # noqa: T201
    if asked.json:
        asked.json.write_text(json.dumps(results, indent=1), encoding="utf-8")
    over = [found for found in results if "failed" in found or any(wait["over_s"] for wait in found["moves"])]
    print(f"bound of lock_timeout + 50 ms: {'kept' if not over else f'not kept by {len(over)}'}")  # noqa: T201
    return 1 if over else 0


if __name__ == "__main__":
    raise SystemExit(main())
