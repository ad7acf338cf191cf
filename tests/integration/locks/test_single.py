"""Single statements of many kinds, on one busy schema: each is foretold as it is then seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.core.effect import differences
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.locks import observe, predict
from tests.fix_postgres import clone

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from expandcontract.pg.server import LocalServer

GIVEN = (
    "CREATE TABLE t (id int PRIMARY KEY, v varchar(20), n int)",
    "INSERT INTO t SELECT g,'v'||g,g FROM generate_series(1,30) g",
    "CREATE TABLE p (id int, v text, n int) PARTITION BY RANGE (id)",
    "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (20)",
    "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (20) TO (100)",
    "INSERT INTO p SELECT g,'v',g FROM generate_series(1,30) g",
    "ALTER TABLE p1 ALTER n SET NOT NULL",
    "CREATE VIEW vw AS SELECT id, v FROM t",
    "CREATE MATERIALIZED VIEW mv AS SELECT id, n FROM t",
    "CREATE TABLE r (id int PRIMARY KEY, t int REFERENCES t ON DELETE CASCADE)",
    "INSERT INTO r SELECT g,g FROM generate_series(1,9) g",
    "CREATE TYPE comp AS (a int)",
    "CREATE TABLE usescomp (c comp)",
    "CREATE TYPE en AS ENUM('a')",
    "CREATE TABLE ue (e en)",
    "INSERT INTO ue VALUES ('a')",
    "CREATE FUNCTION pl() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'",
    "CREATE FUNCTION vol() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
    "CREATE TABLE pk2 (a int NOT NULL, b int NOT NULL)",
    "CREATE UNIQUE INDEX ux ON pk2 (a,b)",
    "CREATE TABLE gen (a int, b int GENERATED ALWAYS AS (a*2) STORED)",
    "INSERT INTO gen VALUES (1)",
    "CREATE TABLE idt (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY)",
    "CREATE TABLE defidx (a text DEFAULT 'x', CONSTRAINT c CHECK (a > ''))",
    "CREATE UNLOGGED TABLE unl (a int)",
    "CREATE TABLE ex (a int, EXCLUDE USING gist (int4range(a,a,'[]') WITH &&))",
    "CREATE INDEX part ON t (v) WHERE n > 3",
    "CREATE STATISTICS st ON v,n FROM t",
)
STATEMENTS = (
    "ALTER TABLE p ALTER n SET NOT NULL",
    "ALTER TABLE t DROP COLUMN v CASCADE",
    "ALTER TABLE t DROP COLUMN n CASCADE",
    "DROP TABLE t CASCADE",
    "DROP TYPE en CASCADE",
    "DROP TYPE comp CASCADE",
    "ALTER TABLE t ADD COLUMN x int DEFAULT pl()",
    "ALTER TABLE t ADD COLUMN x int DEFAULT vol()",
    "ALTER TABLE t ADD COLUMN x int DEFAULT 1+1",
    "ALTER TABLE t ADD COLUMN x int[] DEFAULT '{}'",
    "ALTER TABLE t ADD COLUMN x jsonb DEFAULT '{}'::jsonb NOT NULL",
    "ALTER TABLE t ADD COLUMN x text DEFAULT NULL",
    "ALTER TABLE t ADD COLUMN x int DEFAULT -1",
    "ALTER TABLE pk2 ADD CONSTRAINT pk PRIMARY KEY USING INDEX ux",
    "ALTER TABLE gen ALTER b DROP EXPRESSION",
    "ALTER TABLE idt DROP COLUMN id",
    "ALTER TABLE idt ALTER id TYPE bigint",
    "DROP TABLE idt",
    "ALTER TABLE defidx ALTER a TYPE varchar",
    "TRUNCATE unl, defidx",
    "ALTER TABLE p1 ADD CONSTRAINT z CHECK (n > 0)",
    "ALTER TABLE p1 ALTER v SET DEFAULT 'x'",
    "CREATE INDEX ON p (v)",
    "CREATE INDEX i ON p1 (v)",
    "CREATE UNIQUE INDEX i ON t (v, n)",
    "ALTER TABLE p ADD PRIMARY KEY (id)",
    "ALTER TABLE p ADD CONSTRAINT u UNIQUE (id)",
    "CREATE TRIGGER tr AFTER UPDATE OF v ON p FOR EACH STATEMENT EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "COMMENT ON TYPE en IS 'x'",
    "COMMENT ON FUNCTION pl() IS 'x'",
    "COMMENT ON VIEW vw IS 'x'",
    "GRANT SELECT ON vw TO PUBLIC",
    "GRANT USAGE ON SCHEMA public TO PUBLIC",
    "DROP MATERIALIZED VIEW mv",
    "REFRESH MATERIALIZED VIEW mv",
    "CREATE OR REPLACE VIEW vw AS SELECT id, v, n FROM t",
    "ALTER TABLE vw RENAME TO vw3",
    "ALTER TABLE t RENAME CONSTRAINT t_pkey TO pk",
    "ALTER INDEX t_pkey RENAME TO pk",
    "DROP INDEX part",
    "DROP STATISTICS st",
    "ALTER TABLE r DROP CONSTRAINT r_t_fkey, ADD CONSTRAINT r_t_fkey FOREIGN KEY (t) REFERENCES t NOT VALID",
    "ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE",
    "ALTER TABLE t REPLICA IDENTITY USING INDEX t_pkey",
    "CREATE TABLE z (LIKE t INCLUDING ALL)",
    "CREATE TABLE z (id int PRIMARY KEY, t int, CONSTRAINT q FOREIGN KEY (t) REFERENCES t (id))",
    "CREATE TABLE z AS SELECT * FROM vw",
    "SELECT count(*) FROM vw JOIN p USING (id)",
    "INSERT INTO r SELECT 100, 1",
    "UPDATE t SET v = (SELECT max(v) FROM p)",
    "DELETE FROM t WHERE id = 1",
    "WITH x AS (SELECT * FROM t) UPDATE p SET v = x.v FROM x WHERE x.id = p.id",
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
    "ALTER TABLE t SET (autovacuum_enabled = false)",
    "ALTER TABLE t ALTER v SET STORAGE PLAIN, ALTER v SET STATISTICS 10",
    "ALTER TABLE IF EXISTS nope RENAME TO x",
    "ALTER TYPE en ADD VALUE IF NOT EXISTS 'b'",
    "ALTER TYPE en RENAME VALUE 'a' TO 'c'",
    'ALTER TABLE t ADD COLUMN x text COLLATE "C"',
    "CREATE SEQUENCE sq OWNED BY t.id",
    "ALTER SEQUENCE idt_id_seq RESTART",
    "CREATE SEQUENCE IF NOT EXISTS idt_id_seq",
    "CREATE TABLE px PARTITION OF p FOR VALUES FROM (100) TO (200)",
    "CREATE TABLE px PARTITION OF p DEFAULT",
    "DROP TABLE p1",
    "DROP TABLE p",
    "ALTER TABLE p DETACH PARTITION p1",
    "DROP TABLE IF EXISTS t CASCADE",
    "DROP TABLE ue, unl",
    "DROP VIEW vw",
    "DROP FUNCTION pl()",
    "DROP SCHEMA public CASCADE",
    "ALTER TABLE t ADD CONSTRAINT x CHECK (id > 0) NO INHERIT",
    "ALTER TABLE t ADD CONSTRAINT x UNIQUE NULLS NOT DISTINCT (v)",
    "ALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE t DISABLE TRIGGER ALL",
    "ALTER TABLE r DISABLE TRIGGER USER",
    "COPY (SELECT 1) TO '/dev/null'",
    "LOCK TABLE vw IN ACCESS EXCLUSIVE MODE",
    "ANALYZE t",
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "ALTER TABLE t OWNER TO postgres",
    "ALTER VIEW vw OWNER TO postgres",
    "ALTER TABLE t SET WITHOUT CLUSTER",
)


@pytest.fixture(scope="module")
def busy(server: LocalServer) -> Iterator[Connection]:
    """A connection to a database where everything hangs on everything."""
    with clone(server, "template1") as address, connect(parse(address), command="test") as connection:
        for statement in GIVEN:
            connection.exec_driver_sql(statement)
        connection.commit()
        yield connection


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_statement(busy: Connection, statement: str) -> None:
    """What is foretold from the catalogue is what is seen, and nothing had to be assumed."""
    (predicted,) = predict(busy, statement)
    busy.rollback()
    observed = observe(busy, statement)
    busy.rollback()
    assert () == differences(predicted, observed)
    assert (True, False) == (predicted.known, predicted.assumed)
