"""A running backfill told to wait, to go on, or to go slower; and what is told of it.

The control row is one short transaction without the mover lock, which the backfill itself holds. Every process that
fills reads it ten times a second, and heeds it before its next batch.
"""

from __future__ import annotations

import getpass
import socket
from typing import TYPE_CHECKING, Any

from expandcontract.config.duration import format_duration
from expandcontract.core.throttle import Reading, Signal
from expandcontract.errors import RefusedError, UsageError
from expandcontract.ledger import Ledger
from expandcontract.pg.connect import connect
from expandcontract.runner.course import latest
from expandcontract.runner.observe import known

if TYPE_CHECKING:
    from datetime import timedelta

    from expandcontract.runner.place import Place

WORDS = ("pause", "resume", "set")


def steer(
    place: Place, name: str, word: str, *, workers: int | None, target: timedelta | None, why: str | None
) -> None:
    """Do what ``word`` says. May run any number of times.

    Args:
        place: Where the database is.
        name: The change.
        word: ``pause``, ``resume`` or ``set``.
        workers: With ``set``: threads of each process; 0: as each was configured.
        target: With ``set``: how long a batch should take; zero: as configured.
        why: With ``pause``: shown to whoever asks.

    Raises:
        RefusedError: No backfill of the change has begun, or it is over.
        UnknownNameError: There is no such change.
        UsageError: The word is none of the three.
    """
    if word not in WORDS:
        msg = f"{word!r} is nothing that a backfill can be told"
        raise UsageError(msg, hint=f"one of {', '.join(WORDS)}")
    by = f"{getpass.getuser()} on {socket.gethostname()}"
    with connect(place.url, command=f"backfill {name} {word}") as connection:
        ledger = Ledger(connection, window=place.settings.window.length)
        change = known(place, ledger, name)
        if word == "pause":
            done = ledger.pause(name, by, why)
        elif word == "resume":
            done = ledger.resume(name, by)
        else:
            done = ledger.set_pace(name, by, workers=workers, target=target)
        connection.commit()
    if not done:
        msg = f"{name} is {change.phase}, and no backfill of it fills rows; there is nothing to {word}"
        raise RefusedError(msg, hint=f"ec status {name}")


def shown(ledger: Ledger, name: str) -> dict[str, object] | None:
    """How a backfill is steered and what has held it back, JSON-ready; ``None`` where none has begun."""
    found = ledger.backfill(name)
    if found is None:
        return None
    paused = None
    if found["paused_at"] is not None:
        paused = {"at": found["paused_at"].isoformat(), "by": found["paused_by"], "why": found["paused_why"]}
    return {
        "began_at": found["began_at"].isoformat(),
        "paused": paused,
        "workers": found["workers"],
        "target": None if found["target"] is None else format_duration(found["target"]),
        "held_back": [_held_back(row) for row in ledger.throttled(name)],
        "progress": latest(ledger, name),
        "working": ledger.workers(name),
    }


def _held_back(row: dict[str, Any]) -> dict[str, object]:
    signal = Signal(row["signal"])
    reading = Reading(signal=signal, value=row["value"], limit=row["limit"], detail=row["detail"])
    return {
        "signal": str(signal),
        "title": reading.title,
        "now": row["now"],
        "times": row["times"],
        "seconds": round(row["seconds"], 1),
        "last": str(reading),
        "last_at": row["at"].isoformat(),
    }
