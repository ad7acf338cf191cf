"""Durations as people write them: ``30s``, ``15m``, ``24h``, ``7d``."""

from __future__ import annotations

import re
from datetime import timedelta

from expandcontract.errors import UsageError

UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
FORM = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[dhms]))+")
PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[dhms])")


def parse(text: str) -> timedelta:
    """Read ``90s``, ``1h30m`` or ``250ms``.

    Raises:
        UsageError: It is not a duration.
    """
    if not FORM.fullmatch(text.strip()):
        msg = f"{text!r} is not a duration"
        raise UsageError(msg, hint="write 30s, 15m, 24h or 7d")
    seconds = sum(float(n) * (UNITS[u] if u != "ms" else 0.001) for n, u in PART.findall(text))
    return timedelta(seconds=seconds)


def in_words(length: timedelta) -> str:
    """The duration in the form that :func:`parse` reads, rounded up to whole seconds: ``23h59m``."""
    seconds = -int(-length.total_seconds() // 1)
    parts = []
    for unit, size in UNITS.items():
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
