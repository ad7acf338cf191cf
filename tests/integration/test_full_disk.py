"""A table on a file system that is really full. Needs root, to mount one."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from expandcontract.backfill import worker
from tests.fix_running import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_filling import Filling

MOUNT = ["mount", "-t", "tmpfs", "-o", "size=3m"]


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of 3 MB that the server may write to."""
    place = Path(tempfile.mkdtemp(prefix="ec-disk-"))
    mounted = os.geteuid() == 0 and subprocess.run([*MOUNT, "tmpfs", place], check=False).returncode == 0
    if not mounted:
        place.rmdir()
        pytest.skip("a file system can be mounted by root only")
    os.chown(place, pwd.getpwnam("nobody").pw_uid, -1)
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)
    place.rmdir()


def test_a_backfill_on_a_full_disk_goes_on_once_there_is_room(
    filling: Filling, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It waits while the file system is full, writes nothing twice, and comes to its end once it was made larger."""
    monkeypatch.setattr(worker, "FULL_S", 0.2)
    name = f"small_{filling.database.rsplit('/', 1)[1]}"
    filling.prepare(20_000)
    filling.sql_one(f"CREATE TABLESPACE {name} LOCATION '{small_disk}'")
    try:
        filling.sql_one(f"ALTER TABLE users SET TABLESPACE {name}")
        filling.sql_one("ALTER TABLE users SET (autovacuum_enabled = off, fillfactor = 100)")
        with running(filling.database, workers=2) as backfill:
            _fill_up(small_disk)
            backfill.until(lambda it: "disk" in it.waits_for)
            subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
            assert backfill.finish().rows_filled == 20_000
        assert {} == filling.faults()
    finally:
        filling.sql_one("ALTER TABLE users SET TABLESPACE pg_default")
        filling.sql_one(f"DROP TABLESPACE {name}")


def _fill_up(disk: Path) -> None:
    subprocess.run(["dd", "if=/dev/zero", f"of={disk / 'full'}", "bs=8k"], check=False, capture_output=True)
    assert shutil.disk_usage(disk).free == 0
