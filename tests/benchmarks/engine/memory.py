"""The resident memory of a process that fills: ``python -m tests.benchmarks.engine.memory DSN`` prints its peak."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.engine.rivals import ours

if TYPE_CHECKING:
    from tests.benchmarks.engine.tables import Table


def peak_mb(dsn: str, table: Table) -> float:
    """Fill the table in a process of its own, and give the most memory that it had resident, in MB of 10^6 bytes."""
    command = [sys.executable, "-m", "tests.benchmarks.engine.memory", dsn]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    del table
    return int(said) * 1024 / 1e6


if __name__ == "__main__":
    from tests.benchmarks.engine.tables import numbered

    ours(2)(sys.argv[1], numbered("any", 1))
    # getrusage() would tell of our parent, from which this process was forked
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    print(found[1])  # noqa: T201
