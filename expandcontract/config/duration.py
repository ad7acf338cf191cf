"""Durations at the edge: ``"15m"`` in a file, a variable or a flag, ``timedelta`` inside."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from expandcontract.core.duration import in_words, parse
from expandcontract.errors import UsageError


def parse_duration(text: str) -> timedelta:
    """Read ``30s``, ``15m``, ``24h``, ``7d`` or ``1h30m``.

    Raises:
        UsageError: It is not a duration.
    """
    return parse(text)


def format_duration(length: timedelta) -> str:
    """The duration as a person writes it: ``1h30m``; below a second in milliseconds, ``500ms``."""
    seconds = length.total_seconds()
    if 0 < seconds < 1:
        return f"{round(seconds * 1000)}ms"
    return in_words(length)


def _read(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str):
        msg = f"{value!r} has no unit; write 30s, 15m, 24h or 7d, in quotes"
        raise ValueError(msg)  # noqa: TRY004 - pydantic collects only ValueError
    try:
        return parse(value)
    except UsageError as exc:
        msg = f"{exc.message}; {exc.hint}"
        raise ValueError(msg) from exc


Duration = Annotated[timedelta, BeforeValidator(_read), PlainSerializer(format_duration)]
"""A pydantic field that reads a duration with its unit and prints it the same way."""
