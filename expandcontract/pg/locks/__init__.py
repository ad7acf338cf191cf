"""Which locks DDL takes, and what it reads or writes whole: measured, foretold, observed.

``predict`` foretells from the measured table and the catalogue, ``observe`` and ``watch`` look at a scratch server.
"""

from __future__ import annotations

from expandcontract.pg.locks.observe import observe
from expandcontract.pg.locks.predict import predict, predict_each
from expandcontract.pg.locks.watch import Watch, watch

__all__ = ["Watch", "observe", "predict", "predict_each", "watch"]
