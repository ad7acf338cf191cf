"""Copies a database's schema with PostgreSQL's own ``pg_dump`` and ``psql``; of the source nothing is changed.

``pg_dump`` takes ACCESS SHARE on every table for as long as it reads the catalogue: reads and writes pass, DDL waits.
It asks for these locks for a short while only, so that it never queues anybody behind a wait of its own.
https://www.postgresql.org/docs/current/app-pgdump.html
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from expandcontract.errors import FailedError
from expandcontract.pg.connect import conninfo

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import URL

LOCK_WAIT = "5s"
WITHIN_S = 600.0
VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
ERROR = re.compile(r"^(?:psql:[^:]*:\d+: )?(?:ERROR|FATAL): +(.*)$", re.MULTILINE)
HARMLESS = re.compile(r'unrecognized configuration parameter|schema "public" already exists')


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """``pg_dump`` and the ``psql`` beside it.

    Attributes:
        pg_dump: Its path.
        psql: Its path.
        major: Their version; a server of a later one cannot be dumped.
    """

    pg_dump: Path
    psql: Path
    major: int


def find(folders: Iterable[Path], at_least: int) -> Programs | None:
    """The oldest programs that can dump a server of version ``at_least``, from these folders or the search path."""
    places = [*folders, *(Path(found).parent for found in [shutil.which("pg_dump")] if found)]
    known = [programs for place in places if (programs := _programs(place)) and programs.major >= at_least]
    return min(known, key=lambda programs: programs.major, default=None)


def _programs(folder: Path) -> Programs | None:
    pg_dump, psql = folder / "pg_dump", folder / "psql"
    if not (pg_dump.exists() and psql.exists()):
        return None
    said = subprocess.run([pg_dump, "--version"], capture_output=True, text=True, check=False)
    found = VERSION.search(said.stdout)
    return Programs(pg_dump=pg_dump, psql=psql, major=int(found[1])) if found else None


def schema(programs: Programs, source: URL, *, owners: bool) -> str:
    """The schema of a database as a script.

    Args:
        programs: What to dump with.
        source: The database; its catalogue is read in one transaction.
        owners: Whether who owns what, and who may do what, is part of it.

    Raises:
        FailedError: ``pg_dump`` failed: a lock was not had within five seconds, or we may not read something.
    """
    without = [] if owners else ["--no-owner", "--no-privileges"]
    command: list[str | Path] = [
        programs.pg_dump,
        "--schema-only",
        "--no-subscriptions",
        "--no-tablespaces",
        f"--lock-wait-timeout={LOCK_WAIT}",
        *without,
    ]
    done = _run([*command, "--dbname", _bare(source)], source)
    if done.returncode:
        msg = f"pg_dump could not read the target's schema: {_last(done.stderr)}"
        raise FailedError(msg, hint="run it again, or as a role that may read every table")
    return done.stdout


def restore(programs: Programs, to: URL, script: str) -> tuple[str, ...]:
    """Run a script of :func:`schema` on an empty database; what PostgreSQL did not take, in its own words."""
    command: list[str | Path] = [programs.psql, "--no-psqlrc", "--quiet", "--dbname", _bare(to), "--file", "-"]
    done = _run(command, to, script)
    if done.returncode:
        msg = f"psql could not write the schema: {_last(done.stderr)}"
        raise FailedError(msg)
    return tuple(dict.fromkeys(said for said in ERROR.findall(done.stderr) if not HARMLESS.search(said)))


def _run(command: list[str | Path], url: URL, script: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PGAPPNAME": "ec rehearse", "PGCONNECT_TIMEOUT": "10"}
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    try:
        return subprocess.run(
            command, env=environment, input=script, capture_output=True, text=True, timeout=WITHIN_S, check=False
        )
    except subprocess.TimeoutExpired as exc:
        msg = f"{Path(command[0]).name} was not through within {WITHIN_S:.0f} s"
        raise FailedError(msg) from exc


def _bare(url: URL) -> str:
    """The address without its password, which other users of the machine could read in the list of processes."""
    return conninfo(url.set(password=None), {})


def _last(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if not line.startswith("pg_dump: detail: Query was")]
    return lines[0].removeprefix("pg_dump: error: ") if lines else "it said nothing"
