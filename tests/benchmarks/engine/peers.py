"""The peers' own programs, where they are on the path. Each adds a column and fills it, in the way that it has."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.engine.tables import Table

COLUMN = "shown_name"
"""What they add; none of them fills a column that is there."""
PGROLL = {
    "operations": [
        {
            "add_column": {
                "table": "users",
                "up": "full_name",
                "column": {"name": COLUMN, "type": "text", "nullable": True},
            }
        }
    ]
}
RESHAPE = f"""[[actions]]
type = "add_column"
table = "users"
up = "full_name"

    [actions.column]
    name = "{COLUMN}"
    type = "TEXT"
"""


def pgroll(dsn: str, table: Table) -> None:
    """https://pgroll.com/docs/latest/cli/start; its batches are of 1,000 rows unless it is told otherwise."""
    del table
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "01_shown_name.json")
        file.write_text(json.dumps(PGROLL), encoding="utf-8")
        _run(folder, "pgroll", "init", "--postgres-url", _plain(dsn))
        _run(folder, "pgroll", "baseline", "00_there", folder, "--yes", "--postgres-url", _plain(dsn))
        _run(folder, "pgroll", "start", str(file), "--complete", "--postgres-url", _plain(dsn))


def reshape(dsn: str, table: Table) -> None:
    """https://github.com/fabianlindfors/reshape; its batches are of 1,000 rows."""
    del table
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "migrations").mkdir()
        Path(folder, "migrations", "1_shown_name.toml").write_text(RESHAPE, encoding="utf-8")
        _run(folder, "reshape", "migration", "start", "--complete", "--url", dsn)


PEERS: dict[str, Callable[[str, Table], None]] = {"pgroll": pgroll, "reshape": reshape}


def found() -> dict[str, Callable[[str, Table], None]]:
    """Those that are on the path."""
    return {name: run for name, run in PEERS.items() if shutil.which(name)}


def _plain(dsn: str) -> str:
    """The same address for a driver that insists on TLS where it is not told otherwise."""
    return f"{dsn}{'&' if '?' in dsn else '?'}sslmode=disable"


def _run(folder: str, *command: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"{' '.join(command[:3])} ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-500:]}"
        raise RuntimeError(msg)
