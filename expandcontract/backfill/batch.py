"""One batch's transaction: marked, fenced, short in every wait, retried where a lock was not had."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import psycopg
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from expandcontract.errors import BackfillError
from expandcontract.pg.retry import RETRIED, sqlstate

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
ATTEMPTS = 60
SETTINGS = (
    "SET LOCAL expandcontract.backfill = 'on'",
    # below deadlock_timeout, so that the batch loses a deadlock and never the application
    "SET LOCAL lock_timeout = '200ms'",
    "SET LOCAL statement_timeout = '60s'",
    # a row hidden by a policy is an error, not a gap
    "SET LOCAL row_security = off",
)


def batch(connection: psycopg.Connection, work: Callable[[], T], *, where: str) -> T:
    """Run ``work`` in one transaction of the backfill; again where a lock was not had.

    Args:
        connection: In autocommit mode.
        work: Does the batch's statements on the same connection.
        where: The position, for the message.

    Raises:
        BackfillError: A statement failed, or a lock was not had in 60 attempts; nothing of the batch is left.
    """

    def attempt() -> T:
        with connection.transaction():
            for setting in SETTINGS:
                connection.execute(setting)
            connection.execute("SELECT expandcontract.durable()")
            return work()

    policy = Retrying(
        retry=retry_if_exception(lambda error: sqlstate(error) in {*RETRIED, "40001"}),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        stop=stop_after_attempt(ATTEMPTS),
        reraise=True,
    )
    try:
        return policy(attempt)
    except psycopg.Error as exc:
        msg = f"the backfill stopped at {where}: {str(exc).splitlines()[0]}"
        raise BackfillError(
            msg,
            hint="run the same command again; it goes on from there",
        ) from exc
