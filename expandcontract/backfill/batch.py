"""One batch's transaction: marked, fenced, short in every wait, retried where a lock was not had."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from expandcontract.errors import BackfillError
from expandcontract.pg.retry import RETRIED, sqlstate

if TYPE_CHECKING:
    from collections.abc import Callable

    import psycopg

    from expandcontract.ledger.segments import Segments

T = TypeVar("T")
ATTEMPTS = 60
LONGEST = timedelta(seconds=60)
SERIALIZATION_FAILURE = "40001"


class LostClaimError(Exception):
    """Somebody else has claimed the segment since; nothing of the batch is written."""


class BrokenOffError(Exception):
    """Nobody waits for this batch any more; nothing of it is written."""


def batch(
    connection: psycopg.Connection, segments: Segments, work: Callable[[], T], *, ceiling: timedelta = LONGEST
) -> T:
    """Run ``work`` in one transaction of the backfill; again where a lock was not had.

    Args:
        connection: In autocommit mode.
        segments: Of the change, on the same connection.
        work: Does the batch's statements on that connection.
        ceiling: How long one of its statements may run.

    Raises:
        psycopg.Error: A statement failed, or a lock was not had in 60 attempts; nothing of the batch is left.
    """

    def attempt() -> T:
        with connection.transaction():
            segments.enter(ceiling)
            return work()

    policy = Retrying(
        retry=retry_if_exception(lambda error: sqlstate(error) in {*RETRIED, SERIALIZATION_FAILURE}),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        stop=stop_after_attempt(ATTEMPTS),
        reraise=True,
    )
    return policy(attempt)


def stopped(exc: psycopg.Error, where: str) -> BackfillError:
    """The error of a backfill that cannot go on."""
    msg = f"the backfill stopped at {where}: {str(exc).splitlines()[0]}"
    return BackfillError(msg, hint="run the same command again; it goes on from there")
