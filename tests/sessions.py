"""The sessions of ``ec`` in the test's own database; the server is shared with what other tests hold open."""

from __future__ import annotations


def ours(command: str = "") -> str:
    """FROM and WHERE of a query for them, of one command or of any; conditions may follow."""
    return f"FROM pg_stat_activity WHERE datname = current_database() AND starts_with(application_name, 'ec {command}')"
