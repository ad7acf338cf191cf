"""Moments of a document in words. All of them are on the database's clock; this machine's clock is never asked."""

from __future__ import annotations

from datetime import datetime, timedelta

from expandcontract.core.duration import in_words


def read(value: object) -> datetime | None:
    """A moment as a document has it: ISO 8601 text, or the moment itself."""
    if isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value) if isinstance(value, str) and value else None


def moment(value: object) -> str:
    """``2026-03-01 12:00:00 UTC``; empty where there is none."""
    found = read(value)
    return "" if found is None else f"{found:%Y-%m-%d %H:%M:%S %Z}".replace("UTC+00:00", "UTC").rstrip()


def until(value: object, now: object) -> str:
    """How long from ``now`` to a moment, in words; empty where it is past or not known."""
    found, start = read(value), read(now)
    if found is None or start is None or found <= start:
        return ""
    return in_words(found - start)


def length(value: object) -> str:
    """A duration as a document has it: text, seconds or ``timedelta``."""
    if isinstance(value, (int, float)):
        return in_words(timedelta(seconds=value))
    return in_words(value) if isinstance(value, timedelta) else str(value or "")
