"""What the application feels: pgbench at a fixed rate beside a backfill, and what each of its transactions waited."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from expandcontract.pg.server import LocalServer
    from tests.benchmarks.engine.tables import Table

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


def middle(of: Sequence[Felt]) -> Felt:
    """The median of each figure; of the slowest wait and of failures, the worst."""
    return Felt(
        transactions=int(median(one.transactions for one in of)),
        p99_ms=median(one.p99_ms for one in of),
        worst_ms=max(one.worst_ms for one in of),
        failed=max(one.failed for one in of),
        seconds=median(one.seconds for one in of),
    )


def felt(server: LocalServer, dsn: str, table: Table, work: Callable[[], float]) -> Felt:
    """Run ``work`` under the load; the load begins before and ends after it.

    Args:
        server: Whose pgbench is used.
        dsn: The database.
        table: With a ``bigint`` key from 1.
        work: Gives how long it took.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.sql")
        script.write_text(SCRIPT.format(rows=table.rows), encoding="utf-8")
        command: list[object] = [server.bin / "pgbench", "-n", "-c", CLIENTS, "-j", 2, "-R", RATE, "-T", LONGEST_S]
        command += ["-l", "--log-prefix", Path(folder, "log"), "-f", script, "--failures-detailed", dsn]
        with subprocess.Popen([str(part) for part in command], stdout=subprocess.DEVNULL) as load:
            try:
                threading.Event().wait(LEAD_S)
                seconds = work()
                threading.Event().wait(LEAD_S)  # its log is written in pieces
            finally:
                load.terminate()
                load.communicate()
        lines = [line.split() for path in Path(folder).glob("log*") for line in path.read_text().splitlines()]
    lines = [line for line in lines if len(line) >= 6]  # the last one may be cut
    waits = sorted(int(line[2]) / 1000 for line in lines if line[2].isdigit())
    return Felt(
        transactions=len(waits),
        p99_ms=waits[int(len(waits) * 0.99)],
        worst_ms=waits[-1],
        failed=len(lines) - len(waits),
        seconds=seconds,
    )
