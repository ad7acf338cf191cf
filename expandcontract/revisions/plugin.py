"""Registers our operations with Alembic (entry point ``alembic.plugins``); imported by every ``alembic`` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.runtime.plugins import Plugin


def setup(plugin: Plugin) -> None:
    """Called by Alembic once; importing the modules registers them."""
    from expandcontract.revisions import operations, trading  # noqa: PLC0415  # at the top it would import Alembic in a circle

    assert all((operations.REGISTERED, trading.REGISTERED)), plugin.name  # noqa: S101  # keeps the import from looking unused
