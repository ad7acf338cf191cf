"""From the settings of ``[backfill.throttle]`` to the limits that are heeded."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from expandcontract.config.load import load
from expandcontract.core.duration import parse
from expandcontract.core.throttle import MEANS, Signal, Unit
from expandcontract.errors import ConfigError
from expandcontract.runner.limits import limits

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "throttle.md"
USERS = {Signal.QUERY, Signal.COMMAND, Signal.URL}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("EC_")]:
        monkeypatch.delenv(name)


def test_the_page_has_every_signal_with_its_default(tmp_path: Path) -> None:
    """The table of signals is the code's, in its order; its default limits are those of a project without settings."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| (\S+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [str(signal) for signal in Signal] == [name for name, _ in rows]
    found = limits(load(tmp_path))
    said = {Signal(name): limit.strip("`") for name, limit in rows if limit != "unset"}
    assert found.of == {
        signal: parse(limit).total_seconds() if MEANS[signal][1] is Unit.SECONDS else float(limit)
        for signal, limit in said.items()
    }
    assert frozenset() == found.explicit
    assert 0.2 == found.vacuum_share


def test_what_is_set_is_explicit(tmp_path: Path) -> None:
    """Sizes, shares and lengths of time become numbers of their unit; only what somebody wrote is explicit."""
    (tmp_path / "expandcontract.toml").write_text(
        """
        snapshot_limit = "2m"
        [backfill]
        vacuum = "off"
        [backfill.throttle]
        replica_lag = "off"
        replica_lag_bytes = "1GiB"
        dead_share = 0.3
        vacuums = 0
        except_replicas = ["delayed"]
        query = "SELECT 1"
        query_limit = 2.5
        command = "./quiet --now"
        url = "http://127.0.0.1/ready"
        """,
        encoding="utf-8",
    )
    found = limits(load(tmp_path))
    assert found.of == {
        Signal.REPLICA_LAG_BYTES: 2**30,
        Signal.SLOTS_AT_RISK: 0,
        Signal.ARCHIVE_FAILING: 60,
        Signal.OLDEST_SNAPSHOT: 120,
        Signal.DEAD_SHARE: 0.3,
        Signal.VACUUMS: 0,
        Signal.WAITING_SESSIONS: 0,
        Signal.QUERY: 2.5,
        Signal.COMMAND: 0,
        Signal.URL: 0,
    }
    assert USERS | {Signal.REPLICA_LAG_BYTES, Signal.DEAD_SHARE, Signal.VACUUMS} == found.explicit
    assert ("delayed",) == tuple(found.except_replicas)
    assert ("./quiet", "--now") == tuple(found.command)
    assert found.vacuum_share is None


def test_the_environment_sets_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tables deep, lists with commas, and ``off``."""
    monkeypatch.setenv("EC_BACKFILL__THROTTLE__EXCEPT_REPLICAS", "delayed, report")
    monkeypatch.setenv("EC_BACKFILL__THROTTLE__WAITING_SESSIONS", "3")
    monkeypatch.setenv("EC_BACKFILL__THROTTLE__REPLICA_LAG", "off")
    found = limits(load(tmp_path))
    assert {"delayed", "report"} == found.except_replicas
    assert found.of[Signal.WAITING_SESSIONS] == 3
    assert Signal.REPLICA_LAG not in found.of
    assert {Signal.WAITING_SESSIONS} == found.explicit


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("replica_lag = 5", "backfill.throttle.replica_lag: 5 has no unit"),
        ("replica_lag_bytes = 'much'", "backfill.throttle.replica_lag_bytes: could not parse"),
        ("waiting_sessions = -1", "backfill.throttle.waiting_sessions: Input should be greater than or equal to 0"),
        ("dead_share = 30", "backfill.throttle.dead_share: Input should be less than 1"),
        ("url = 'file:///etc/passwd'", "backfill.throttle.url: String should match pattern"),
        ("replica_leg = '5s'", "no setting is called backfill.throttle.replica_leg"),
    ],
)
def test_a_wrong_limit_is_named(line: str, said: str, tmp_path: Path) -> None:
    """The setting is named in full, with what it can be."""
    (tmp_path / "expandcontract.toml").write_text(f"[backfill.throttle]\n{line}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert said in caught.value.message
