"""Statements that need a lock: short attempts, full jitter, an end, and the name of who blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tenacity import RetryError, Retrying, retry_if_exception, stop_after_delay, wait_random_exponential

from expandcontract.errors import LockTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

T = TypeVar("T")
RETRIED = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
FIRST, LONGEST = 0.2, 15.0  # seconds


def sqlstate(error: BaseException) -> str | None:
    """The SQLSTATE of a driver's error, however often it was wrapped."""
    seen: BaseException | None = error
    for _ in range(10):
        if seen is None:
            return None
        state = getattr(seen, "sqlstate", None) or getattr(seen, "pgcode", None)
        if state:
            return str(state)
        seen = getattr(seen, "orig", None) or seen.__cause__
    return None


def retrying(attempt: Callable[[], T], *, what: str, budget: timedelta, blockers: Callable[[], str]) -> T:
    """Call ``attempt`` until it gets its locks.

    Args:
        attempt: Runs one transaction; may be called any number of times.
        what: What is attempted, for the message.
        budget: How long to go on trying; there is no unlimited last attempt.
        blockers: Names who holds the lock, asked for once the budget is spent.

    Raises:
        LockTimeoutError: The budget is spent.
    """
    policy = Retrying(
        retry=retry_if_exception(lambda error: sqlstate(error) in RETRIED),
        wait=wait_random_exponential(multiplier=FIRST, max=LONGEST),
        stop=stop_after_delay(budget),
    )
    try:
        return policy(attempt)
    except RetryError as exc:
        held = blockers() or "the blocker has gone in the meantime"
        msg = f"{what}: a lock was not had within {budget}; {held}"
        raise LockTimeoutError(msg, hint="end or wait for the blocker, then run the same command again") from exc
