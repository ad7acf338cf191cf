"""``ec demo`` on a small table: the whole story, with nothing failed and nothing lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.acceptance.test_together import wait_until

if TYPE_CHECKING:
    from pathlib import Path


SERVERS = 3  # the database, the proxy and a release at least


def _start(directory: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "expandcontract", "demo", "--rows", "3000", *arguments],
        cwd=directory,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_heed_ctrl_c,  # noqa: PLW1509 - one thread only, and SIGINT is set before the exec
    )


def _heed_ctrl_c() -> None:
    """A test run that was started in the background hands an ignored SIGINT down; the demo shall hear it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _children(pid: int) -> list[str]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return found.stdout.split()


def test_nothing_failed_and_nothing_lost(tmp_path: Path) -> None:
    """The document has the figures, and they are zero."""
    said, errors = _start(tmp_path, "--json").communicate(timeout=280)
    found = json.loads(said)
    assert (0, 0) == (found["failed"], found["lost"]), errors
    assert found["requests"] > 100


def test_ctrl_c_leaves_nothing_running(tmp_path: Path) -> None:
    """Interrupted in the middle it ends every process that it started, and says so."""
    demo = _start(tmp_path)
    wait_until(lambda: len(_children(demo.pid)) >= SERVERS)
    children = _children(demo.pid)
    demo.send_signal(signal.SIGINT)
    _, errors = demo.communicate(timeout=60)
    assert (130, True) == (demo.returncode, "interrupted" in errors)
    left = subprocess.run(["ps", "-o", "stat=", "-p", ",".join(children)], capture_output=True, text=True, check=False)
    assert [] == [stat for stat in left.stdout.split() if not stat.startswith("Z")]
