"""Ends a throw-away server whose owner was killed, and deletes its folder: ``python keeper.py DIR``.

It reads standard input, a pipe whose other end the owner holds. However the owner goes, the pipe ends then; what is
still there is taken away, and where all is gone already nothing is done.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

PAUSE_S = 0.1
QUICKLY_S, WITHIN_S = 10.0, 30.0


def main() -> None:
    """Wait for the end of standard input, then clear up."""
    sys.stdin.buffer.read()
    clear(Path(sys.argv[1]))


def clear(directory: Path) -> None:
    """End the server in ``directory``, and delete that; may run twice. Takes half a minute at the longest."""
    until = time.monotonic() + WITHIN_S
    harshly = time.monotonic() + QUICKLY_S
    while directory.exists() and time.monotonic() < until:
        pid = _postmaster(directory)
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT if time.monotonic() < harshly else signal.SIGQUIT)
        else:
            shutil.rmtree(directory, ignore_errors=True)
        time.sleep(PAUSE_S)


def _postmaster(directory: Path) -> int | None:
    """The server that says in its own folder that it runs there; ``None`` where none does."""
    try:
        pid = int((directory / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
        os.kill(pid, 0)
    except (OSError, ValueError, IndexError):
        return None
    return pid


if __name__ == "__main__":
    main()
