"""Seals of partitioned tables are built part by part, and can be taken up wherever they were left."""

from __future__ import annotations

from contextlib import closing
from datetime import timedelta

import psycopg
import pytest

from expandcontract.core.attempt import Patience
from expandcontract.core.mapping import Table
from expandcontract.errors import LockTimeoutError
from expandcontract.pg.connect import parse
from expandcontract.revisions.operations import SealIndex, SealUnique
from expandcontract.revisions.sealing import run, undo
from tests.sleepers import until_asleep

WHOLE = Table(schema="Sales Dept", name='order "log" %')
INDEX = SealIndex("by %s name", WHOLE, "btree (lower(name))")
UNIQUE = SealUnique("once", WHOLE, ("id", "name"), timing="DEFERRABLE INITIALLY DEFERRED")
ITEMS = (INDEX, UNIQUE)
TABLES = """
CREATE SCHEMA "Sales Dept";
CREATE TABLE "Sales Dept"."order ""log"" %" (id int NOT NULL, name text) PARTITION BY RANGE (id);
CREATE TABLE "low part" PARTITION OF "Sales Dept"."order ""log"" %" FOR VALUES FROM (0) TO (100);
CREATE TABLE high PARTITION OF "Sales Dept"."order ""log"" %" FOR VALUES FROM (100) TO (200) PARTITION BY RANGE (id);
CREATE TABLE leaf PARTITION OF high FOR VALUES FROM (100) TO (200);
INSERT INTO "Sales Dept"."order ""log"" %" SELECT n, 'n' || n FROM generate_series(0, 199) AS n;
"""
INVALID = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
BUILT = """SELECT x.indrelid::regclass::text, x.indisunique FROM pg_index AS x
    JOIN pg_class AS c ON c.oid = x.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname IN ('public', 'Sales Dept') AND x.indisvalid ORDER BY 1, 2"""


@pytest.fixture
def whole(database: str) -> str:
    """A database with a partitioned table, one of whose parts is partitioned again."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(TABLES)
    return database


def _ask(dsn: str, query: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(query).fetchall()


def test_all_parts_have_it(whole: str) -> None:
    """Whole and parts have a valid index and a valid constraint; again, nothing changes; taken back, nothing stays."""
    named = ["index by %s name", f"unique constraint once of {WHOLE}"]
    assert named == [text for text in run(parse(whole), ITEMS, lambda: None) if text in named]
    tables = ['"Sales Dept"."order ""log"" %"', '"low part"', "high", "leaf"]
    built = _ask(whole, BUILT)
    assert sorted((table, unique) for table in tables for unique in (False, True)) == sorted(built)
    assert named == list(run(parse(whole), ITEMS, lambda: None))
    assert built == _ask(whole, BUILT)
    list(undo(parse(whole), ITEMS, lambda: None))
    assert [] == _ask(whole, BUILT)


def test_it_goes_on_where_it_was_left(whole: str) -> None:
    """A sleeper with one part stops the seal there, named; no part has an invalid index, and the next run finishes."""
    short = Patience(budget=timedelta(seconds=1.5))
    with closing(psycopg.connect(whole)) as writer:
        writer.execute("UPDATE leaf SET name = 'x' WHERE id = 100")
        until_asleep(whole, writer.info.backend_pid)
        with pytest.raises(LockTimeoutError, match=f"backend {writer.info.backend_pid} of "):
            list(run(parse(whole), (INDEX,), lambda: None, short))
    leaves = "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid"
    assert [] == _ask(whole, f"{leaves} WHERE NOT indisvalid AND c.relkind = 'i'")
    list(run(parse(whole), ITEMS, lambda: None))
    assert [] == _ask(whole, INVALID)
    assert 8 == len(_ask(whole, BUILT))
