"""What does not lie in heap pages is never left out in silence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.backfill import parity
from expandcontract.backfill.fill import fill
from expandcontract.backfill.job import How
from expandcontract.core.fill import Fill
from expandcontract.errors import BackfillError
from expandcontract.pg.connect import parse
from tests.fix_filling import CHANGE, begin

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer

WORK = Fill("users", {"display_name": "upper(full_name)"})
PARTS = """
CREATE TABLE users (id int, full_name text, display_name text) PARTITION BY RANGE (id);
CREATE TABLE users_low PARTITION OF users FOR VALUES FROM (0) TO (10);
CREATE ACCESS METHOD pile TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE users_pile PARTITION OF users FOR VALUES FROM (10) TO (20) USING pile;
CREATE FOREIGN DATA WRAPPER none; CREATE SERVER far FOREIGN DATA WRAPPER none;
CREATE FOREIGN TABLE users_far PARTITION OF users FOR VALUES FROM (20) TO (30) SERVER far;
INSERT INTO users SELECT n, 'name ' || n FROM generate_series(0, 19) AS n;
"""
SAID = r"page batches cannot fill what is no heap table: public.users_far \(foreign table\), public.users_pile \(pile\)"


def test_all_of_it_is_named_before_the_first_batch(server: LocalServer, ledger_database: str) -> None:
    """A foreign partition and one of another access method: by backfill and comparison, and no row is filled."""
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute(PARTS)
        begin(connection, WORK)
        with pytest.raises(BackfillError, match=SAID):
            list(fill(parse(ledger_database), CHANGE, WORK, How(), epoch=0))
        with pytest.raises(BackfillError, match=SAID):
            parity.count(parse(ledger_database), CHANGE, WORK)
        assert (0, 0) == connection.execute(
            "SELECT count(display_name), (SELECT count(*) FROM expandcontract.segment) FROM users_low"
        ).fetchone()
        connection.execute(
            "ALTER TABLE users DETACH PARTITION users_far; ALTER TABLE users DETACH PARTITION users_pile"
        )
        list(fill(parse(ledger_database), CHANGE, WORK, How(), epoch=0))
        assert (10,) == connection.execute("SELECT count(display_name) FROM users").fetchone()
