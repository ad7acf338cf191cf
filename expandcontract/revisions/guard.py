"""The guard in ``env.py``: refuses before any revision runs, and keeps the ledger in Alembic's own transaction.

It is two lines: ``from expandcontract import guard``, and ``guard(context)`` before ``context.run_migrations()``.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alembic.runtime.migration import RevisionStep
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from expandcontract.errors import BusyError, FencedError, RefusedError
from expandcontract.ledger import Ledger, install, installed_version
from expandcontract.pg.lock import mover_pid, release_mover_lock, try_mover_lock
from expandcontract.pg.retry import sqlstate
from expandcontract.revisions import seal, straight
from expandcontract.revisions.guarding import ATTRIBUTE, PROBE
from expandcontract.revisions.limits import keep_limits
from expandcontract.revisions.operations import call
from expandcontract.revisions.project import CONTRACT, EXPAND, half_of
from expandcontract.revisions.quiet import keep_quiet, up_to_date_but_for_contracts
from expandcontract.revisions.server_defaults import compare_exactly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from alembic.runtime.migration import MigrationContext, MigrationInfo
    from sqlalchemy import URL, Connection

    from expandcontract.pg.attempt import Attempt

PLAIN_LOCK_TIMEOUT = "1s"
EMPTY = """SELECT NOT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
    AND c.relname <> :version_table AND NOT EXISTS (
        SELECT FROM pg_depend AS d
        WHERE d.classid = 'pg_class'\\:\\:regclass AND d.objid = c.oid AND d.deptype = 'e'))"""


class RefusedRevision(RefusedError, CommandError):  # noqa: N818  # named as its parent
    """A refusal that plain ``alembic`` prints as one line, with what to type."""

    def __str__(self) -> str:
        return f"{self.message}. Type: {self.hint}" if self.hint else self.message


class BusyRevision(BusyError, CommandError):  # noqa: N818  # named as its parent
    """Another mover is at work; plain ``alembic`` prints it as one line."""


@dataclass(frozen=True, slots=True)
class RunnerMark:
    """How the guard knows that ``ec`` itself runs Alembic, on which database, and within which limits.

    Attributes:
        installation: The ledger's id.
        epoch: The mover's.
        attempt: The limits of this attempt.
        url: The target database, for looking who is in the way.
    """

    installation: UUID
    epoch: int
    attempt: Attempt | None = None
    url: URL | None = None


def guard(context: Any) -> None:
    """Stand between Alembic and the database; call it before ``context.run_migrations()``.

    Args:
        context: ``alembic.context``, configured.
    """
    migration: MigrationContext = context.get_context()
    script = context.script
    mark = context.config.attributes.get(ATTRIBUTE)
    asked = context.config.attributes.get(PROBE)
    if asked is not None:
        asked.update(version_table=migration.version_table, version_table_schema=migration.version_table_schema)
    original: Any = migration._migrations_fn  # noqa: SLF001  # the one place where a command's steps pass
    recorder = _Recorder(script, mark.attempt if mark else None)
    migration.on_version_apply_callbacks = (*migration.on_version_apply_callbacks, recorder)
    if context.is_offline_mode():
        return
    if mark is not None and mark.attempt is not None and mark.url is not None and migration.connection is not None:
        keep_limits(migration.connection, mark.attempt, mark.url)
    else:
        migration.autocommit_block = _unhurried(migration)  # type: ignore[method-assign]
    keep_quiet(migration, script)
    compare_exactly(migration)

    def guarded(heads: Any, ctx: MigrationContext) -> Iterator[Any]:
        connection = ctx.connection
        assert connection is not None  # noqa: S101  # online
        try:
            steps = list(original(heads, ctx))
        except CommandError as exc:
            known = up_to_date_but_for_contracts(exc, script, heads)
            if known is None:
                raise
            steps = list(original(known, ctx))
        locked = _admit(connection, ctx, [s for s in steps if isinstance(s, RevisionStep)], mark)
        yield from steps
        if locked:
            release_mover_lock(connection)

    migration._migrations_fn = guarded  # noqa: SLF001


def _unhurried(migration: MigrationContext) -> Callable[[], Any]:
    original = migration.autocommit_block

    @contextmanager
    def block() -> Iterator[None]:
        """Concurrent builds wait for old snapshots, and may: they do not queue anybody."""
        with original():
            migration.execute("SET lock_timeout = 0")
            yield
            migration.execute(f"SET lock_timeout = '{PLAIN_LOCK_TIMEOUT}'")

    return block


def _admit(connection: Connection, ctx: MigrationContext, steps: list[RevisionStep], mark: RunnerMark | None) -> bool:
    """Refuse, or let these steps run; says whether the mover lock was taken here."""
    if not steps:
        return False
    if mark is None and connection.execute(text("SHOW lock_timeout")).scalar_one() == "0":
        connection.execute(text(f"SET lock_timeout = '{PLAIN_LOCK_TIMEOUT}'"))
    halves = [(step, half) for step in steps if (half := half_of(step.revision)) is not None]
    if installed_version(connection) is None:
        if not halves:
            return False
        empty = connection.execute(text(EMPTY), {"version_table": ctx.version_table}).scalar_one()
        if not empty:
            msg = "this database has tables and no ledger, and pairs are among the revisions to run; nothing was run"
            raise RefusedRevision(msg, hint="ec init")
        install(connection, fresh=True)
    ledger = Ledger(connection)
    locked = _lock(connection, ledger, mark)
    for step, (name, which) in halves:
        _allow(connection, step, name, which)
    return locked


def _allow(connection: Connection, step: RevisionStep, name: str, which: str) -> None:
    """Refuse where this half of a change may not be run, or taken back, now."""
    if step.is_upgrade and which == CONTRACT:
        _ask(connection, "assert_contract", name)
        _refuse_unmade(connection, name, step.revision.module)
    elif step.is_upgrade:
        phase = connection.execute(text("SELECT expandcontract.phase(:name)"), {"name": name}).scalar_one()
        if phase not in {None, "planned"}:
            msg = f"{name} is {phase}: its expand was run, and alembic_version does not say so; nothing was run"
            raise RefusedRevision(msg, hint=f"ec gate {name} expand, which says what to stamp")
    elif which == EXPAND:
        _ask(connection, "assert_retract", name)
    elif not straight.is_straight(connection):
        msg = f"{name} is contracted: what a contract dropped cannot be brought back; nothing was run"
        raise RefusedRevision(msg, hint=f"ec status {name}")


def _refuse_unmade(connection: Connection, name: str, module: Any) -> None:
    """A contract that ``ec`` has begun and left could be ended by plain Alembic, without the rule that it is for."""
    unmade = () if straight.is_straight(connection) else seal.missing(connection, seal.record(module))
    if unmade:
        msg = f"contract of {name} is refused: {', '.join(unmade)} is not made yet; nothing was run"
        raise RefusedRevision(msg, hint=f"ec advance {name}")


def _lock(connection: Connection, ledger: Ledger, mark: RunnerMark | None) -> bool:
    if mark is not None:
        found = ledger.installation()
        if found.id != mark.installation:
            msg = "env.py leads to another database than ec's own setting; nothing was run"
            raise FencedError(msg, hint="let env.py use sqlalchemy.url, or set EC_DATABASE to the same database")
        ledger.check_epoch(mark.epoch)
        return False
    if not try_mover_lock(connection):
        found = ledger.installation()
        who = f"{found.holder or 'another alembic'} (backend {mover_pid(connection)})"
        msg = f"{who} moves this database; nothing was run"
        raise BusyRevision(msg, hint="ec status --watch")
    return True


def _ask(connection: Connection, function: str, name: str) -> None:
    savepoint = connection.begin_nested()
    try:
        call(connection, function, name)
    except DBAPIError as exc:
        if sqlstate(exc) != "EC301":
            raise
        raise refused(exc) from exc
    finally:
        savepoint.rollback()


def refused(exc: DBAPIError) -> RefusedError:
    """The server's refusal as ours: its message, and its hint."""
    diag = getattr(exc.orig, "diag", None)
    message = getattr(diag, "message_primary", None) or str(exc.orig).splitlines()[0]
    hint = getattr(diag, "message_hint", None)
    return RefusedRevision(f"{message}; nothing was run", hint=hint)


class _Recorder:
    """Writes the ledger as each revision's version row is written, in the same transaction or script."""

    def __init__(self, script: Any, attempt: Attempt | None) -> None:
        self._script, self._attempt = script, attempt

    def __call__(self, *, ctx: MigrationContext, step: MigrationInfo, **_: object) -> None:
        if step.is_stamp:
            return
        revision = self._script.get_revision(step.up_revision_id)
        half = half_of(revision)
        if half is None:
            return
        if not step.is_upgrade:
            call(ctx, "revision_reverted", *half)
            if half[1] == CONTRACT and ctx.connection is not None and not ctx.as_sql:
                straight.contract_reverted(ctx, ctx.connection, half[0])
            return
        kind = str(revision.module.change.kind) if half[1] == EXPAND else ""
        call(ctx, "revision_applied", *half, revision.revision, kind)
        if ctx.connection is not None and not ctx.as_sql:
            if self._attempt is not None and straight.is_straight(ctx.connection):
                self._attempt.limited = False  # nobody waits here, and rows are read under plain locks
            straight.applied(ctx, ctx.connection, revision.module, half)
