"""The smoke test: the user's own command against the idle color, before it gets any traffic."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from expandcontract.core.color import Color

TIMEOUT = 300.0  # seconds


def smoke(command: Sequence[str], color: Color, url: str) -> str:
    """Run the smoke test with ``EC_COLOR`` and ``EC_URL`` set; empty where it passed, else why it did not."""
    environment = {**os.environ, "EC_COLOR": str(color), "EC_URL": url}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        return str(exc)
    if done.returncode == 0:
        return ""
    said = (done.stderr or done.stdout).strip().splitlines()
    return f"it ended with {done.returncode}: {(said or ['no output'])[-1]}"
