"""The ledger's named queries; the loader lives in ``pg``."""

from __future__ import annotations

from expandcontract.pg.queries import load

__all__ = ["load"]
