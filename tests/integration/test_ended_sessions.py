"""The server ends a worker's session in the middle of a batch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from expandcontract.backfill.job import How
from expandcontract.ledger.segments import Segments
from tests.fix_filling import WORK
from tests.fix_running import Running

if TYPE_CHECKING:
    from tests.fix_filling import Filling

ROWS = 20_000


@pytest.mark.parametrize("why", ["too long idle in its transaction", "terminated"])
def test_a_worker_connects_again(filling: Filling, why: str) -> None:
    """Nothing of that batch is written, the worker makes another session, and each row is written once."""
    filling.prepare(ROWS)
    advance, ended = Segments.advance, []

    def late(segments: Segments, *given: Any) -> None:
        if not ended:
            ended.append(segments.connection.info.backend_pid)
            if why == "terminated":
                filling.sql(f"SELECT pg_terminate_backend({ended[0]}, 5000)")
            else:
                segments.connection.execute("SET LOCAL idle_in_transaction_session_timeout = '20ms'")
                time.sleep(0.3)
        advance(segments, *given)

    with patch.object(Segments, "advance", late):
        Running(filling.database, WORK, How()).finish()
    assert 1 == len(ended)
    assert [(ROWS,)] == filling.sql("SELECT count(*) FROM written")
    assert {} == filling.faults()
