"""Processes of a backfill killed, stopped and continued: every row is right, and written once."""

from __future__ import annotations

import random
import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.test_together import wait_until
from tests.sessions import ours

if TYPE_CHECKING:
    import subprocess

    from tests.fix_filling import Filling

GONE = f"SELECT 1 WHERE NOT EXISTS (SELECT {ours('backfill')})"


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.mark.parametrize("seed", range(2))
def test_killed_again_and_again(filling: Filling, seed: int, kills: int) -> None:
    """Killed at random moments it goes on each time where it was: no row wrong, none written twice, none forgotten."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    rows = 10_000 * kills
    filling.prepare(rows)
    for _ in range(kills):
        process = filling.start(workers=1 + seed)
        time.sleep(chance.random() * 0.1)
        _end(process)
    wait_until(lambda: filling.sql(GONE))
    before = filling.sql("SELECT count(*) FROM written")[0][0]
    assert isinstance(before, int)
    assert 0 < before < rows
    process = filling.start()  # what a killed one had claimed is free at once, for its session has ended
    process.communicate(timeout=120)
    assert 0 == process.returncode
    assert {} == filling.faults()
    assert [(rows,)] == filling.sql("SELECT count(*) FROM written")


def test_three_processes_and_one_is_stopped(filling: Filling) -> None:
    """What a stopped process had claimed is done by the others once its lease is over; continued, it writes nothing."""
    filling.prepare(60_000)
    stopped, *others = [filling.start(lease=1.0) for _ in range(3)]
    try:
        stopped.send_signal(signal.SIGSTOP)
        for process in others:
            process.communicate(timeout=120)
            assert 0 == process.returncode
        assert {} == filling.faults()
        written = filling.sql("SELECT count(*) FROM written")
        stopped.send_signal(signal.SIGCONT)
        stopped.communicate(timeout=60)
        assert 0 == stopped.returncode
    finally:
        for process in (stopped, *others):
            _end(process)
    assert written == filling.sql("SELECT count(*) FROM written") == [(60_000,)]
    assert {} == filling.faults()
