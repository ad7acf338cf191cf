"""What cannot trade names is refused in ``ec new``, with the reason, before anything is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.errors import ExpandContractError
from expandcontract.pg.connect import connect, parse
from expandcontract.revisions.recipes import draft

if TYPE_CHECKING:
    from typing import Any

BASE = "CREATE TABLE t (id int PRIMARY KEY, v int, w int)"
WIDEN = ("widen-primary-key", {"table": "t"})
RETYPE = ("change-type", {"table": "t", "column": "v", "type": "bigint", "keep_name": True})
CASES: list[tuple[str, tuple[str, dict[str, Any]], str]] = [
    ("CREATE VIEW seen AS SELECT id FROM t", WIDEN, "away: view seen would stay with the old column"),
    ("CREATE VIEW seen AS SELECT v + 1 AS more FROM t", RETYPE, "away: view seen would stay with the old column"),
    ("ALTER TABLE t ADD twice int GENERATED ALWAYS AS (v * 2) STORED", RETYPE, "twice of table t would stay"),
    ("CREATE POLICY mine ON t USING (id > 0)", WIDEN, "policy mine on table t would stay"),
    (
        """CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER told BEFORE UPDATE OF v ON t FOR EACH ROW EXECUTE FUNCTION f()""",
        RETYPE,
        "trigger told on table t would stay",
    ),
    ("CREATE PUBLICATION told FOR TABLE t (id, v)", RETYPE, "publication told would stay"),
    ("CREATE TABLE child () INHERITS (t)", WIDEN, "table child, which inherits from t would stay"),
    (
        """ALTER TABLE t ALTER v SET NOT NULL; CREATE UNIQUE INDEX told ON t (v);
        ALTER TABLE t REPLICA IDENTITY USING INDEX told""",
        RETYPE,
        "index told, the replica identity of t, would stay",
    ),
    ("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id, v)", WIDEN, "has several columns: id, v"),
    ("ALTER TABLE t DROP CONSTRAINT t_pkey", WIDEN, "t has no primary key"),
    ("ALTER TABLE t DROP CONSTRAINT t_pkey, ADD PRIMARY KEY (id) DEFERRABLE", WIDEN, "t_pkey of t is deferrable"),
    ("ALTER TABLE t ALTER id TYPE bigint", WIDEN, "t.id is bigint, and bigint is no wider integer type"),
    ("ALTER TABLE t ALTER id TYPE text", WIDEN, "t.id is text, and bigint is no wider integer type"),
    (
        "ALTER TABLE t ADD UNIQUE (id, v); CREATE TABLE r (a int, b int, FOREIGN KEY (a, b) REFERENCES t (id, v))",
        WIDEN,
        "foreign key r_a_b_fkey of r has several columns, t.id among them",
    ),
    (
        "CREATE TABLE r (a int REFERENCES t) PARTITION BY RANGE (a)",
        WIDEN,
        "r is partitioned: its keys cannot be made from indexes that were built before",
    ),
    (
        "ALTER TABLE t ADD UNIQUE (v); CREATE TABLE r (a int REFERENCES t (v))",
        RETYPE,
        "foreign key r_a_fkey of r refers",
    ),
    ("ALTER TABLE t ADD v_beside int", RETYPE, "t has a column 'v_beside' already"),
    (
        "ALTER TABLE t RENAME CONSTRAINT t_pkey TO k; CREATE TABLE k_beside ()",
        WIDEN,
        "public has a relation or constraint",
    ),
    ("SELECT 1", ("change-type", {**RETYPE[1], "type": "timestamptz"}), "no cast between integer and timestamp"),
    ("SELECT 1", ("change-type", {**RETYPE[1], "to": "x"}), "--keep-name keeps the old name"),
    ("SELECT 1", ("change-type", {**RETYPE[1], "column": "id"}), "the primary key t_pkey"),
    (
        "INSERT INTO t VALUES (1, 70000)",
        ("change-type", {**RETYPE[1], "type": "smallint"}),
        r"cannot be computed for 1 of .*smallint out of range",
    ),
    (
        "SELECT 1",
        ("change-type", {**RETYPE[1], "type": "text", "using": "v::text", "reverse": "v_beside::int"}),
        "the expression v_beside::int: .*v_beside",
    ),
]


@pytest.mark.parametrize(("setup", "asked", "reason"), CASES)
def test_refused(ledger_database: str, setup: str, asked: tuple[str, dict[str, Any]], reason: str) -> None:
    """The refusal names what stands in the way and what to do; the database is as it was."""
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute(BASE)
        connection.execute(setup)
    with (
        connect(parse(ledger_database), command="test") as connection,
        pytest.raises(ExpandContractError, match=rf"(?s){reason}") as refused,
    ):
        draft(connection, asked[0], **asked[1])
    assert refused.value.hint or "--keep-name keeps" in reason
