"""Options, and one fixture topic a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import settings

if TYPE_CHECKING:
    import pytest

settings.register_profile("project", deadline=None)  # timings never fail a test
settings.load_profile("project")

pytest_plugins = [
    "tests.fix_models",
    "tests.fix_postgres",
    "tests.fix_project",
    "tests.fix_revisions",
    "tests.fix_swap",
    "tests.fix_transfer",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--pg`` chooses the server's version."""
    parser.addoption("--pg", type=int, default=18, choices=(15, 16, 18), help="version of PostgreSQL to test on")
