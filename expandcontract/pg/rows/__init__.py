"""Rows for a scratch database, made up by type and by what the tables demand; no row of the target is looked at."""

from __future__ import annotations

from expandcontract.pg.rows.fill import Filled, by_script, generated
from expandcontract.pg.rows.model import Check, Demands, Key

__all__ = ["Check", "Demands", "Filled", "Key", "by_script", "generated"]
