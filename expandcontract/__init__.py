"""Takes a PostgreSQL schema change through expand, dual writes, backfill, cut-over and contract."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from expandcontract.core.change import Change
    from expandcontract.core.fill import Fill
    from expandcontract.core.mapping import Mapping
    from expandcontract.core.shape import Hold
    from expandcontract.core.transfer import Transfer
    from expandcontract.revisions.guard import guard

__all__ = ["Change", "Fill", "Hold", "Mapping", "Transfer", "guard"]

_HOMES = {
    "Change": "expandcontract.core.change",
    "Fill": "expandcontract.core.fill",
    "Hold": "expandcontract.core.shape",
    "Mapping": "expandcontract.core.mapping",
    "Transfer": "expandcontract.core.transfer",
    "guard": "expandcontract.revisions.guard",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        msg = f"module 'expandcontract' has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(_HOMES[name]), name)
