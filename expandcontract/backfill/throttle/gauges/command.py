"""The user's own command."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
from typing import TYPE_CHECKING

from expandcontract.core.throttle import Reading, Signal
from expandcontract.errors import BackfillError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from expandcontract.backfill.throttle.gauge import Scope

WITHIN_S = 5.0
SHOWN = 120


class Command:
    """Runs it; exit 0 lets the backfill go on, everything else holds it back, an answer that does not come too."""

    signals = (Signal.COMMAND,)

    def read(self, scope: Scope) -> Iterator[Reading]:
        """0 where it ended well, 1 where not, with the last line that it wrote.

        Raises:
            BackfillError: It cannot be started.
        """
        why = _refusal(scope.limits.command)
        yield scope.reading(Signal.COMMAND, 1 if why else 0, why)


def _refusal(command: Sequence[str]) -> str:
    try:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as exc:
        msg = f"backfill.throttle.command {shlex.join(command)} cannot be started: {exc.strerror}"
        raise BackfillError(msg, hint="mend backfill.throttle.command, then run the same command again") from exc
    with process:
        try:
            said, _ = process.communicate(timeout=WITHIN_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # what it started holds the pipe, too
            process.communicate()
            return f"gave no answer within {WITHIN_S:g} s"
    if process.returncode == 0:
        return ""
    last = (said.strip().splitlines() or ["it wrote nothing"])[-1]
    return f"ended with {process.returncode}: {last[:SHOWN]}"
