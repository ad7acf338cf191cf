"""One command of the user's, ended with all that it started when it takes too long; what it wrote is told, short."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta
    from typing import IO

KEPT = 65536  # bytes of output that are read, from the end
LINES = 3
SHOWN = 200  # characters of a line
SECRET = re.compile(r"(?<=:)[^\s:/@]+(?=@)|(?<=password=)\S+|(?<=[Bb]earer )\S+")
"""The password of an address or of a connection string, and a token: none of these leaves the command's output."""


def why_not(command: Sequence[str], environment: Mapping[str, str], within: timedelta) -> str:
    """Run a command to its end; empty where it ended with 0, else how it ended and the last lines that it wrote."""
    with TemporaryFile() as out:
        try:
            process = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as exc:
            return f"{command[0]} cannot be started: {exc.strerror}"
        try:
            code = process.wait(within.total_seconds())
        except BaseException as exc:
            _end(process)
            if not isinstance(exc, subprocess.TimeoutExpired):
                raise
            return f"it took longer than {within.total_seconds():g} s and was ended: {_last_lines(out)}"
        return f"it ended with {code}: {_last_lines(out)}" if code else ""


def _end(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # what it started has no reason to go on
    process.wait()


def _last_lines(out: IO[bytes]) -> str:
    size = out.seek(0, os.SEEK_END)
    out.seek(max(0, size - KEPT))
    said = out.read().decode(errors="replace").strip().splitlines()
    lines = [SECRET.sub("***", line.strip())[:SHOWN] for line in said if line.strip()]
    return " | ".join(lines[-LINES:]) or "it wrote nothing"
