"""Registers our operations with Alembic (entry point ``alembic.plugins``); imported by every ``alembic`` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.revisions import operations

if TYPE_CHECKING:
    from alembic.runtime.plugins import Plugin


def setup(plugin: Plugin) -> None:
    """Called by Alembic once; importing :mod:`operations` has registered them."""
    assert operations.REGISTERED, plugin.name  # noqa: S101  # keeps the import from looking unused
