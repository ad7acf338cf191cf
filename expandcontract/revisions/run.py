"""Runs Alembic for the runner: one revision up or down, quietly, with retries for locks."""

from __future__ import annotations

from contextlib import redirect_stderr, redirect_stdout
from datetime import timedelta
from io import StringIO
from typing import TYPE_CHECKING

from alembic import command
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

from expandcontract.errors import FailedError
from expandcontract.pg.retry import RETRIED, retrying, sqlstate
from expandcontract.revisions.guard import RunnerMark, refused
from expandcontract.revisions.guarding import ATTRIBUTE

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.revisions.project import Project

__all__ = ["RunnerMark", "downgrade", "upgrade"]

BUDGET = timedelta(minutes=30)


def upgrade(
    project: Project, revision: str, mark: RunnerMark, *, blockers: Callable[[], str], budget: timedelta = BUDGET
) -> None:
    """Apply ``revision`` and what it stands on, through the project's own ``env.py``.

    Raises:
        RefusedError: The server refused.
        LockTimeoutError: A lock was not had within the budget.
        FailedError: A statement of the revision failed; its transaction was rolled back.
    """
    _run(project, revision, mark, blockers, budget, command.upgrade)


def downgrade(
    project: Project, revision: str, mark: RunnerMark, *, blockers: Callable[[], str], budget: timedelta = BUDGET
) -> None:
    """Take the database back to ``revision``; raises as :func:`upgrade` does."""
    _run(project, revision, mark, blockers, budget, command.downgrade)


def _run(
    project: Project,
    revision: str,
    mark: RunnerMark,
    blockers: Callable[[], str],
    budget: timedelta,
    work: Callable[..., None],
) -> None:
    project.config.attributes[ATTRIBUTE] = mark

    def attempt() -> None:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            work(project.config, revision)

    try:
        retrying(attempt, what=f"{work.__name__} to {revision}", budget=budget, blockers=blockers)
    except DBAPIError as exc:
        if sqlstate(exc) == "EC301":
            raise refused(exc) from exc
        if sqlstate(exc) in RETRIED:
            raise
        msg = f"{work.__name__} to {revision} failed: {str(exc.orig).splitlines()[0]}"
        raise FailedError(msg) from exc
    except CommandError as exc:
        msg = f"{work.__name__} to {revision} failed: {exc}"
        raise FailedError(msg) from exc
    finally:
        project.config.attributes.pop(ATTRIBUTE, None)
