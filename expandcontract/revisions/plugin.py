"""Registers our operations with Alembic (entry point ``alembic.plugins``); imported by every ``alembic`` command."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alembic.runtime.plugins import Plugin


def setup(plugin: Plugin) -> None:
    """Called by Alembic once; importing :mod:`operations` registers them."""
    del plugin
    # at the top it would import Alembic in a circle; where operations came first, it is only half there by now
    import_module("expandcontract.revisions.operations")
    import_module("expandcontract.revisions.trading")
