"""Options, and one fixture topic a file."""

from __future__ import annotations

import os
from math import ceil
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pathlib import Path

settings.register_profile("project", deadline=None)  # timings never fail a test
settings.load_profile("project")

pytest_plugins = [
    "tests.fix_aws",
    "tests.fix_filling",
    "tests.fix_kubernetes",
    "tests.fix_models",
    "tests.fix_postgres",
    "tests.fix_project",
    "tests.fix_revisions",
    "tests.fix_shop",
    "tests.fix_standby",
    "tests.fix_swap",
    "tests.fix_transfer",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--pg`` chooses the server's version."""
    parser.addoption("--pg", type=int, default=18, choices=(15, 16, 18), help="version of PostgreSQL to test on")
    parser.addoption("--share", type=float, default=1.0, help="how much of the slow suites is run: 0 to 1")
    parser.addoption("--seed", type=int, default=0, help="which part of the slow suites")
    parser.addoption("--kills", type=int, default=6, help="how often a backfill is killed in one test")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of what is marked ``slow``, keep a share of each module, rounded up, that the seed chooses; alike everywhere.

    Where a real API server of Kubernetes is named, keep what is marked ``cluster`` instead.
    """
    from tests.fix_kubernetes import REAL  # noqa: PLC0415  # pytest is to load it first

    if REAL in os.environ:
        _drop(config, items, {item for item in items if not item.get_closest_marker("cluster")})
        return
    share, seed = config.getoption("--share"), config.getoption("--seed")
    slow: dict[Path, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("slow"):
            slow.setdefault(item.path, []).append(item)
    left: set[pytest.Item] = set()
    for found in slow.values():
        drawn = sorted(found, key=lambda item: crc32(f"{seed} {item.nodeid}".encode()))
        left.update(drawn[ceil(share * len(found)) :])
    _drop(config, items, left)


def _drop(config: pytest.Config, items: list[pytest.Item], left: set[pytest.Item]) -> None:
    if left:
        config.hook.pytest_deselected(items=[item for item in items if item in left])
        items[:] = [item for item in items if item not in left]


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often a backfill is killed in one test."""
    return int(request.config.getoption("--kills"))
