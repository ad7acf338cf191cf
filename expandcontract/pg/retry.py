"""Which errors mean that a lock was not had, whatever driver they come from."""

from __future__ import annotations

RETRIED = {"55P03", "40P01"}  # lock_not_available, deadlock_detected


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
