"""Registers our operations with Alembic (entry point ``alembic.plugins``); imported by every ``alembic`` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.runtime.plugins import Plugin


def setup(plugin: Plugin) -> None:
    """Called by Alembic once; importing the modules registers them."""
    from expandcontract.revisions import operations, trading  # noqa: PLC0415  # at the top they would import Alembic

    # where ``operations`` itself brought Alembic in, it is not through yet and registers as it goes on
    assert operations.__name__ and trading.__name__, plugin.name  # noqa: PT018, S101  # keeps the imports in use
