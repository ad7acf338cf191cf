"""What the application feels: pgbench at a fixed rate beside a backfill, and what each of its transactions waited."""

from __future__ import annotations

import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from expandcontract.pg.server import LocalServer

SCRIPT = """\\set id random(1, {rows})
BEGIN;
SELECT full_name, score FROM users WHERE id = :id;
UPDATE users SET score = score + 1 WHERE id = :id;
END;
"""
CLIENTS, RATE, LEAD_S = 8, 200, 5
LONGEST_S = 300


@dataclass(frozen=True, kw_only=True)
class Felt:
    """Latency of the load's transactions, from the moment that each was due.

    Attributes:
        transactions: How many.
        p99_ms: Of a hundred, the slowest but one.
        worst_ms: The slowest.
        failed: Transactions that failed.
        seconds: How long what ran beside it took.
    """

    transactions: int
    p99_ms: float
    worst_ms: float
    failed: int
    seconds: float


def felt(server: LocalServer, dsn: str, work: Callable[[], object], rows: int) -> Felt:
    """Run ``work`` under the load, which begins before and ends after it; only what it felt meanwhile counts.

    Args:
        server: Whose pgbench is used.
        dsn: The database.
        work: What runs beside the load.
        rows: How many the table has; their key is a number from 1.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.sql")
        script.write_text(SCRIPT.format(rows=rows), encoding="utf-8")
        command: list[object] = [server.bin / "pgbench", "-n", "-c", CLIENTS, "-j", 2, "-R", RATE, "-T", LONGEST_S]
        command += ["-l", "--log-prefix", Path(folder, "log"), "-f", script, "--failures-detailed", dsn]
        with subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL) as load:
            try:
                threading.Event().wait(LEAD_S)
                began = time.time()
                work()
                ended = time.time()
                threading.Event().wait(LEAD_S)  # its log is written in pieces
            finally:
                load.terminate()
                load.communicate()
        lines = [line.split() for path in Path(folder).glob("log*") for line in path.read_text().splitlines()]
    lines = [line for line in lines if len(line) >= 6]  # the last one may be cut
    waits = sorted(_waits(lines, began, ended))
    return Felt(
        transactions=len(waits),
        p99_ms=waits[int(len(waits) * 0.99)],
        worst_ms=waits[-1],
        failed=sum(not line[2].isdigit() for line in lines),
        seconds=ended - began,
    )


def _waits(lines: Iterable[Sequence[str]], began: float, ended: float) -> Iterator[float]:
    """Milliseconds that each transaction took which was due before ``ended`` and not over before ``began``."""
    for _, _, took_us, _, over_s, over_us, *_ in lines:
        if took_us.isdigit():
            took, over = int(took_us) / 1e6, int(over_s) + int(over_us) / 1e6
            if over >= began and over - took <= ended:
                yield took * 1000
