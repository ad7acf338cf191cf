"""Runs Alembic for the runner: one revision up or down, quietly, whole transactions as attempts for their locks."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from typing import TYPE_CHECKING

from alembic import command
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from expandcontract.core.attempt import Patience
from expandcontract.errors import FailedError
from expandcontract.pg.build import sweep
from expandcontract.pg.ddl import Work, perform
from expandcontract.pg.retry import sqlstate
from expandcontract.revisions.guard import RunnerMark, refused
from expandcontract.revisions.guarding import ATTRIBUTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import URL

    from expandcontract.core.conflict import Claim
    from expandcontract.pg.attempt import Attempt
    from expandcontract.pg.ddl import Notice
    from expandcontract.revisions.project import Project

__all__ = ["RunnerMark", "downgrade", "plain", "upgrade"]


def upgrade(
    project: Project,
    revision: str,
    mark: RunnerMark,
    *,
    url: URL,
    claims: tuple[Claim, ...] = (),
    patience: Patience | None = None,
) -> Iterator[Notice]:
    """Apply ``revision`` and what it stands on, through the project's own ``env.py``.

    Args:
        project: The Alembic environment.
        revision: Which one.
        mark: How the guard knows us.
        url: The target database, for looking who holds locks.
        claims: The locks that the revision will ask for, as far as they are known.
        patience: How long, and how, locks are waited for.

    Yields:
        What is waited for.

    Raises:
        RefusedError: The server refused.
        LockTimeoutError: A lock was not had within the budget.
        FailedError: A statement of the revision failed; its transaction was rolled back.
    """
    return _run(project, revision, mark, url, claims, patience, command.upgrade)


def downgrade(
    project: Project,
    revision: str,
    mark: RunnerMark,
    *,
    url: URL,
    claims: tuple[Claim, ...] = (),
    patience: Patience | None = None,
) -> Iterator[Notice]:
    """Take the database back to ``revision``; as :func:`upgrade`."""
    return _run(project, revision, mark, url, claims, patience, command.downgrade)


def plain(project: Project, revision: str) -> None:
    """Apply ``revision`` and what it stands on, as ``alembic upgrade`` does: no lock is waited for with patience.

    Only for a scratch database.

    Raises:
        FailedError: A statement failed, or the guard refused; the revision's transaction was rolled back.
    """
    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            command.upgrade(project.config, revision)
    except (DBAPIError, CommandError) as exc:
        said = str(exc.orig if isinstance(exc, DBAPIError) else exc).splitlines()[0]
        msg = f"upgrade to {revision} failed on the scratch database: {said}"
        raise FailedError(msg) from exc


def _run(
    project: Project,
    revision: str,
    mark: RunnerMark,
    url: URL,
    claims: tuple[Claim, ...],
    patience: Patience | None,
    work: Callable[..., None],
) -> Iterator[Notice]:
    what = f"{work.__name__} to {revision}"

    def once(attempt: Attempt) -> None:
        project.config.attributes[ATTRIBUTE] = replace(mark, attempt=attempt, url=url)
        try:
            with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
                work(project.config, revision)
        finally:
            project.config.attributes.pop(ATTRIBUTE, None)
            for index in attempt.building:
                sweep(url, index)

    try:
        yield from perform(url, Work(what=what, claims=claims, run=once), patience or Patience())
    except DBAPIError as exc:
        if sqlstate(exc) == "EC301":
            raise refused(exc) from exc
        msg = f"{what} failed: {str(exc.orig).splitlines()[0]}"
        raise FailedError(msg) from exc
    except CommandError as exc:
        msg = f"{what} failed: {exc}"
        raise FailedError(msg) from exc
