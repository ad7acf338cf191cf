"""Functions as a project would have them, good and bad; each process that calls one imports it by name."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import psycopg

Rows = list[dict[str, Any]]
GATE = "TEST_GATE"
ADDRESS = "TEST_ADDRESS"
LONGEST_S = 60


def shout(rows: Rows) -> Rows:
    """Upper case."""
    return [{"display_name": row["full_name"].upper()} for row in rows]


def every_other(rows: Rows) -> list[dict[str, Any] | None]:
    """Only rows with an even key."""
    return [{"display_name": row["full_name"].upper()} if row["id"] % 2 == 0 else None for row in rows]


def at_the_gate(rows: Rows) -> Rows:
    """Says with what it was called, and waits until it may go on; only the first time."""
    place = Path(os.environ[GATE])
    if not (place / "entered").exists():
        (place / "entered").write_text(str(os.getpid()), encoding="utf-8")
        until = time.monotonic() + LONGEST_S
        while not (place / "go").exists() and time.monotonic() < until:
            time.sleep(0.01)
    return shout(rows)


def seventh(rows: Rows) -> Rows:
    """Fails for one row."""
    return [{"display_name": row["full_name"].upper() if row["id"] != 7 else int("no number")} for row in rows]


def together(rows: Rows) -> Rows:
    """Fails where there are several."""
    if len(rows) > 1:
        raise LookupError("only one at a time")
    return shout(rows)


def leaves(rows: Rows) -> Rows:
    """Ends the interpreter, or tries to."""
    raise SystemExit(3)


def short(rows: Rows) -> Rows:
    """One too few."""
    return shout(rows)[1:]


def lazy(rows: Rows) -> Any:
    """No list."""
    return (row for row in shout(rows))


def other_columns(rows: Rows) -> Rows:
    """Something else than what was declared, for one row."""
    return [{"name": "x"} if row["id"] == 7 else {"display_name": "x"} for row in rows]


def no_dictionary(rows: Rows) -> list[str]:
    """Bare values."""
    return [row["full_name"] for row in rows]


class Odd:
    """No type that PostgreSQL has."""


def odd(rows: Rows) -> Rows:
    """A value of no known type, for one row."""
    return [{"display_name": Odd() if row["id"] == 7 else "x"} for row in rows]


def unspeakable(rows: Rows) -> Rows:
    """A value that cannot leave its process."""
    return [{"display_name": (n for n in "x")} for _ in rows]


def long(rows: Rows) -> Rows:
    """More than the column takes, for one row."""
    return [{"display_name": "x" * (50 if row["id"] == 7 else 5)} for row in rows]


def dies(rows: Rows) -> Rows:
    """As the kernel ends a process that takes too much memory."""
    os.kill(os.getpid(), signal.SIGKILL)
    return rows


def exits(rows: Rows) -> Rows:
    """Ends its process without a word."""
    os._exit(7)


def hangs(rows: Rows) -> Rows:
    """Never ends, where there are several; a single row is done."""
    if len(rows) > 1:
        time.sleep(LONGEST_S)
    return shout(rows)


def hangs_always(rows: Rows) -> Rows:
    """Never ends."""
    time.sleep(LONGEST_S)
    return rows


def prints(rows: Rows) -> Rows:
    """Says something on the way."""
    print("on the way")  # noqa: T201
    return shout(rows)


def restless(rows: Rows) -> Rows:
    """While it is at work somebody changes a row, each time."""
    with psycopg.connect(os.environ[ADDRESS], autocommit=True) as connection:
        connection.execute("UPDATE users SET full_name = full_name || '.' WHERE id = 7")
    return shout(rows)


def turned(rows: Rows) -> Rows:
    """Every type there and back, each a bit different."""
    return [
        {
            "j2": {"was": row["j"], "n": [1, None]},
            "a2": [*row["a"], 'it\'s "é"'],
            "n2": row["n"] * 2,
            "t2": row["t"].replace(year=2000),
            "b2": row["b"] + b"\x00\xff",
            "c2": "ab",
            "o2": not row["o"],
            "m2": "glad",
        }
        for row in rows
    ]


nothing = None
number = 3
