"""Registers our operations with Alembic (entry point ``alembic.plugins``); imported by every ``alembic`` command."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.runtime.plugins import Plugin


def setup(plugin: Plugin) -> None:
    """Called by Alembic once; importing :mod:`operations` registers them."""
    from expandcontract.revisions import operations  # noqa: PLC0415  # at the top it would import Alembic in a circle

    # where ``operations`` itself brought Alembic in, it is not through yet and registers as it goes on
    assert operations.__name__, plugin.name  # noqa: S101  # keeps the import from looking unused
