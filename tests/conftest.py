"""Options, and one fixture topic a file."""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("project", deadline=None)  # timings never fail a test
settings.load_profile("project")

pytest_plugins = [
    "tests.fix_filling",
    "tests.fix_models",
    "tests.fix_postgres",
    "tests.fix_project",
    "tests.fix_revisions",
    "tests.fix_standby",
    "tests.fix_swap",
    "tests.fix_transfer",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--pg`` chooses the server's version."""
    parser.addoption("--pg", type=int, default=18, choices=(15, 16, 18), help="version of PostgreSQL to test on")
    parser.addoption("--kills", type=int, default=6, help="how often a backfill is killed in one test")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How often a backfill is killed in one test."""
    return int(request.config.getoption("--kills"))
