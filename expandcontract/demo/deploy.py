"""The demo's deploy command: stops what runs on a color and starts another version there. Process ids are in files."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

STOPS_WITHIN = 15  # seconds
PLAN = "EC_DEMO"


def alive(pid: int) -> bool:
    """Whether a process of that id runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def stop(directory: Path, color: str) -> None:
    """End the process on a color by its own id, gently and then not."""
    file = directory / f"{color}.pid"
    if not file.exists():
        return
    pid = int(file.read_text(encoding="ascii"))
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    policy = Retrying(retry=retry_if_result(bool), stop=stop_after_delay(STOPS_WITHIN), wait=wait_fixed(0.05))
    try:
        policy(alive, pid)
    except RetryError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    file.unlink(missing_ok=True)


def start(directory: Path, color: str, version: str) -> None:
    """Start a version on a color, detached; the probes tell when it is ready."""
    plan = json.loads((directory / "colors.json").read_text(encoding="utf-8"))[color]
    environment = {**os.environ, "EC_VERSION": version, "PORT": str(plan["port"]), "DATABASE": plan["database"]}
    with (directory / f"{color}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "expandcontract.demo.app"],
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    (directory / f"{color}.pid").write_text(str(process.pid), encoding="ascii")


def main() -> None:
    """``python -m expandcontract.demo.deploy COLOR VERSION``."""
    color, version = sys.argv[1:]
    directory = Path(os.environ[PLAN])
    stop(directory, color)
    start(directory, color, version)


if __name__ == "__main__":
    main()
