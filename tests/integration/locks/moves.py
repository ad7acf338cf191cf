"""Moves: what stands there, and the statements of one move in order."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scene:
    """What is given, and a move that works on it."""

    name: str
    given: str
    move: tuple[str, ...]
    since: int = 0


LONG = "l" * 63
ROWS = "INSERT INTO t SELECT g, 'v' || g FROM generate_series(1, 30) AS g;"
T = "CREATE TABLE t (id int PRIMARY KEY, v varchar(20));" + ROWS


def _hostile(schema: str, table: str, column: str) -> Scene:
    place = f"{schema}.{table}"
    return Scene(
        f"{place}.{column}",
        f"CREATE SCHEMA IF NOT EXISTS {schema}; CREATE TABLE {schema}.other (id int PRIMARY KEY);"
        f"INSERT INTO {schema}.other SELECT generate_series(1, 30);"
        f"CREATE TABLE {place} (id int PRIMARY KEY, {column} varchar(20), o int);"
        f"INSERT INTO {place} SELECT g, 'v', g FROM generate_series(1, 30) AS g;"
        f"CREATE VIEW {schema}.seen AS SELECT id, o FROM {place}",
        (
            f"ALTER TABLE {place} ADD COLUMN x int DEFAULT 5",
            f"ALTER TABLE {place} ALTER COLUMN {column} TYPE varchar(50)",
            f"ALTER TABLE {place} ADD CONSTRAINT filled CHECK ({column} IS NOT NULL) NOT VALID",
            f"ALTER TABLE {place} VALIDATE CONSTRAINT filled",
            f"ALTER TABLE {place} ALTER COLUMN id SET NOT NULL, ALTER COLUMN {column} SET NOT NULL",
            f"ALTER TABLE {place} DROP CONSTRAINT filled",
            f"ALTER TABLE {place} ADD CONSTRAINT fk FOREIGN KEY (o) REFERENCES {schema}.other NOT VALID",
            f"ALTER TABLE {place} VALIDATE CONSTRAINT fk",
            f"CREATE INDEX CONCURRENTLY ix ON {place} ({column})",
            f"ALTER TABLE {place} ALTER COLUMN {column} TYPE text",
            f"ALTER TABLE {place} RENAME COLUMN {column} TO renamed",
            f"COMMENT ON COLUMN {place}.renamed IS 'x'",
            f"ALTER TABLE {place} DROP COLUMN renamed",
            f"ALTER TABLE {place} DROP COLUMN o CASCADE",
            f"DROP TABLE {place}",
        ),
    )


TOGETHER = (
    "ALTER TABLE t ADD COLUMN o int, ADD COLUMN x varchar(5) DEFAULT 'x' NOT NULL,"
    " ADD CONSTRAINT fk FOREIGN KEY (o) REFERENCES o NOT VALID, ALTER COLUMN v TYPE varchar(30)"
)

MOVES = (
    _hostile("public", "t", "v"),
    _hostile("shop", "users", "name"),
    _hostile('"Odd ""Schema%"', '"Ta""ble: %s"', '"co""l:x%d"'),
    _hostile('"a.b"', '"select"', '"order"'),
    _hostile("über", f'"{LONG}"', f'"{LONG}"'),
    Scene(
        "not null by check, and a column of the same move",
        T,
        (
            "ALTER TABLE t ADD COLUMN w varchar(10)",
            "UPDATE t SET w = v",
            "ALTER TABLE t ADD CONSTRAINT c CHECK (w IS NOT NULL AND w <> '') NOT VALID",
            "ALTER TABLE t VALIDATE CONSTRAINT c",
            "ALTER TABLE t ALTER w SET NOT NULL",
            "ALTER TABLE t ALTER w SET NOT NULL",
            "ALTER TABLE t DROP CONSTRAINT c",
            "CREATE INDEX ix ON t (w)",
            "ALTER TABLE t ALTER w TYPE varchar(20)",
            "ALTER TABLE t ALTER w TYPE varchar(5) USING left(w, 5)",
            "DROP INDEX ix",
        ),
    ),
    Scene(
        "a proof that the same statement drops proves nothing",
        T + "ALTER TABLE t ADD CONSTRAINT c CHECK (v IS NOT NULL)",
        ("ALTER TABLE t ALTER COLUMN v SET NOT NULL, DROP CONSTRAINT c",),
    ),
    Scene(
        "actions together, and actions of other statements between",
        T + "CREATE TABLE o (id int PRIMARY KEY); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RETURN NEW; END'",
        (
            TOGETHER,
            "CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
            "ALTER TABLE t DISABLE TRIGGER g, VALIDATE CONSTRAINT fk",
            "DROP TRIGGER IF EXISTS g ON t",
            "DROP TRIGGER IF EXISTS g ON t",
            "SET TimeZone = 'Europe/Berlin'",
            "ALTER TABLE t ADD COLUMN at timestamp DEFAULT now()",
            "ALTER TABLE t ALTER COLUMN at TYPE timestamptz",
            "SET TimeZone = 'UTC'",
            "ALTER TABLE t ALTER COLUMN at TYPE timestamp",
            "DROP TABLE t, o",
        ),
    ),
    Scene(
        "a search path of the script's own",
        "CREATE SCHEMA one; CREATE SCHEMA two; CREATE TABLE one.t (id int); CREATE TABLE two.t (id int);"
        "CREATE TABLE two.u (id int)",
        (
            "SET search_path = one, two",
            "ALTER TABLE t ADD COLUMN x int",
            "ALTER TABLE u ADD COLUMN x int",
            "CREATE TABLE u (id int)",
            "ALTER TABLE u ADD COLUMN x int",
            "DROP TABLE u",
            "ALTER TABLE u ADD COLUMN y int",
            "SET search_path TO DEFAULT",
        ),
    ),
    Scene(
        "not null, PostgreSQL 18's way",
        T,
        (
            "ALTER TABLE t ADD CONSTRAINT nn NOT NULL v NOT VALID",
            "ALTER TABLE t VALIDATE CONSTRAINT nn",
            "ALTER TABLE t ALTER COLUMN v SET NOT NULL",
            "ALTER TABLE t DROP CONSTRAINT nn",
            "ALTER TABLE t ALTER COLUMN v SET NOT NULL",
        ),
        since=18,
    ),
    Scene(
        "partitions of partitions",
        "CREATE TABLE o (id int PRIMARY KEY); INSERT INTO o SELECT generate_series(0, 30);"
        "CREATE TABLE t (id int, v varchar(20), o int) PARTITION BY RANGE (id);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10) PARTITION BY LIST (id);"
        "CREATE TABLE t1a PARTITION OF t1 DEFAULT; CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (100);"
        "INSERT INTO t SELECT g, 'v', g FROM generate_series(0, 30) AS g",
        (
            "ALTER TABLE t ADD COLUMN x int",
            "ALTER TABLE t ADD COLUMN y uuid DEFAULT gen_random_uuid()",
            "ALTER TABLE t ADD CONSTRAINT c CHECK (v <> '') NOT VALID",
            "ALTER TABLE t VALIDATE CONSTRAINT c",
            "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (o) REFERENCES o",
            "CREATE INDEX ix ON ONLY t (v)",
            "CREATE INDEX CONCURRENTLY ix2 ON t2 (v)",
            "ALTER INDEX ix ATTACH PARTITION ix2",
            "CREATE TABLE t3 (LIKE t INCLUDING CONSTRAINTS)",
            "ALTER TABLE t3 ADD CONSTRAINT bound CHECK (id IS NOT NULL AND id >= 100 AND id < 200)",
            "ALTER TABLE t ATTACH PARTITION t3 FOR VALUES FROM (100) TO (200)",
            "CREATE TABLE t4 PARTITION OF t FOR VALUES FROM (200) TO (300)",
            "CREATE TABLE t5 (LIKE t)",
            "ALTER TABLE t5 ADD CONSTRAINT own FOREIGN KEY (o) REFERENCES o",
            "ALTER TABLE t5 ADD CONSTRAINT c CHECK (v <> '')",
            "ALTER TABLE t ALTER COLUMN v SET NOT NULL",
            "ALTER TABLE t DROP CONSTRAINT fk",
            "ALTER TABLE t DETACH PARTITION t2",
            "DROP TABLE t2",
            "DROP TABLE t",
        ),
    ),
    Scene(
        "inheritance and ONLY",
        T + "CREATE TABLE c () INHERITS (t); INSERT INTO c VALUES (99, 'x')",
        (
            "ALTER TABLE t ADD COLUMN x int",
            "ALTER TABLE ONLY t ALTER COLUMN x SET DEFAULT 5",
            "ALTER TABLE t ALTER COLUMN x SET DEFAULT 6",
            "ALTER TABLE t ADD CHECK (id > 0)",
            "ALTER TABLE t ALTER COLUMN v TYPE text",
            "ALTER TABLE c ADD COLUMN own int DEFAULT 3",
            "ALTER TABLE c NO INHERIT t",
            "ALTER TABLE t ADD COLUMN y int",
            "DROP TABLE c",
            "DROP TABLE t",
        ),
    ),
    Scene(
        "partitions that are NOT NULL already are not read",
        "CREATE TABLE t (id int, v text) PARTITION BY RANGE (id);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9);"
        "CREATE TABLE t2 PARTITION OF t DEFAULT; INSERT INTO t VALUES (1, 'x'), (20, 'y');"
        "ALTER TABLE t1 ALTER COLUMN v SET NOT NULL",
        ("ALTER TABLE t ALTER COLUMN v SET NOT NULL", "CREATE SEQUENCE s OWNED BY t.id", "LOCK TABLE ONLY t"),
    ),
    Scene(
        "foreign keys, both ways and to itself",
        T + "CREATE TABLE r (id int PRIMARY KEY, t int REFERENCES t);"
        "INSERT INTO r SELECT g, g FROM generate_series(1, 9) AS g",
        (
            "ALTER TABLE t ADD COLUMN parent int",
            "ALTER TABLE t ADD CONSTRAINT self FOREIGN KEY (parent) REFERENCES t",
            "ALTER TABLE t ALTER COLUMN id TYPE bigint",
            "ALTER TABLE r ALTER COLUMN t TYPE bigint",
            "TRUNCATE t CASCADE",
            "ALTER TABLE t DROP COLUMN parent",
            "ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE",
            "DROP TABLE r",
            "DROP TABLE t",
        ),
    ),
    Scene(
        "tables, types and views of the same move",
        T,
        (
            "CREATE TYPE mood AS ENUM ('a', 'b')",
            "CREATE DOMAIN small AS int CHECK (VALUE < 10)",
            "CREATE TABLE n (id serial PRIMARY KEY, t int REFERENCES t, m mood)",
            "ALTER TABLE n ADD COLUMN s small",
            "ALTER TABLE n ALTER COLUMN id TYPE bigint",
            "CREATE VIEW w AS SELECT id, m FROM n",
            "ALTER TABLE n DROP COLUMN m CASCADE",
            "ALTER TABLE n RENAME TO n2",
            "ALTER TABLE n2 ADD COLUMN x int",
            "CREATE SCHEMA other",
            "ALTER TABLE n2 SET SCHEMA other",
            "ALTER TABLE other.n2 DROP COLUMN x",
            "DROP TABLE other.n2",
            "DROP DOMAIN small",
        ),
    ),
    Scene(
        "what is there already, and what is not",
        T + "CREATE INDEX ix ON t (v)",
        (
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS v text",
            "ALTER TABLE t DROP COLUMN IF EXISTS nowhere",
            "ALTER TABLE t DROP CONSTRAINT IF EXISTS nowhere",
            "ALTER TABLE IF EXISTS nowhere ADD COLUMN x int",
            "CREATE INDEX IF NOT EXISTS ix ON t (v)",
            "DROP INDEX IF EXISTS nowhere",
            "DROP INDEX ix",
            "DROP INDEX IF EXISTS ix",
            "CREATE INDEX IF NOT EXISTS ix ON t (v)",
            "CREATE TABLE IF NOT EXISTS t (id int)",
            "DROP TABLE IF EXISTS nowhere",
            "DROP TRIGGER IF EXISTS nowhere ON t",
        ),
    ),
    Scene(
        "views over views, and rows through them",
        T + "CREATE VIEW one AS SELECT id, v FROM t; CREATE VIEW two AS SELECT id, v FROM one",
        (
            "SELECT count(*) FROM two",
            "UPDATE one SET v = 'x'",
            "INSERT INTO t VALUES (100, 'x')",
            "DELETE FROM t WHERE id = 100",
            "CREATE TABLE copied AS SELECT * FROM two",
            "DROP VIEW one CASCADE",
            "ALTER TABLE t ALTER COLUMN v TYPE text",
        ),
    ),
    Scene(
        "names that change before what they belong to is asked about",
        T + "CREATE TABLE r (id int PRIMARY KEY, t int CONSTRAINT fk REFERENCES t);"
        "INSERT INTO r SELECT g, g FROM generate_series(1, 9) AS g;"
        "CREATE VIEW one AS SELECT id, v FROM t; CREATE VIEW two AS SELECT t FROM r;"
        "CREATE TABLE n (id serial PRIMARY KEY, t int REFERENCES t)",
        (
            "DROP VIEW one",
            "ALTER TABLE r RENAME TO s",
            "CREATE TABLE r (id int PRIMARY KEY)",
            "CREATE INDEX ON s (t, id)",
            "ALTER INDEX s_t_id_idx RENAME TO s_ix",
            "ALTER INDEX r_pkey1 RENAME TO r_pk",
            "ALTER VIEW two RENAME TO three",
            "ALTER SEQUENCE n_id_seq RENAME TO numbers",
            "ALTER TABLE n ALTER COLUMN id TYPE bigint",
            "ALTER TABLE t RENAME COLUMN id TO key",
            "ALTER TABLE t ALTER COLUMN key TYPE bigint",
            "ALTER INDEX t_pkey RENAME TO pk",
            "ALTER TABLE t RENAME CONSTRAINT pk TO pk2",
            "ALTER TABLE r DROP CONSTRAINT r_pk",
            "DROP TABLE r",
            "ALTER TABLE t DROP CONSTRAINT pk2 CASCADE",
            "ALTER TABLE n ADD CONSTRAINT filled CHECK (t IS NOT NULL)",
            "ALTER TABLE n RENAME COLUMN t TO told",
            "ALTER TABLE n ALTER COLUMN told SET NOT NULL",
            "ALTER TABLE s ADD CONSTRAINT filled CHECK (t IS NOT NULL) NOT VALID",
            "ALTER TABLE s VALIDATE CONSTRAINT filled",
            "ALTER TABLE s RENAME COLUMN t TO told",
            "ALTER TABLE s ALTER COLUMN told SET NOT NULL",
            "ALTER TABLE s DROP COLUMN told CASCADE",
            "DROP TABLE n",
            "DROP TABLE t",
        ),
    ),
    Scene(
        "unique constraints that take in those of their partitions",
        "CREATE TABLE t (id int, v int, o int) PARTITION BY RANGE (id);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10) PARTITION BY LIST (id);"
        "CREATE TABLE t1a PARTITION OF t1 DEFAULT; CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (100);"
        "INSERT INTO t SELECT g, g, g FROM generate_series(1, 30) AS g;"
        "ALTER TABLE t1 ADD CONSTRAINT one UNIQUE (id, v);"
        "ALTER TABLE t2 ADD CONSTRAINT two UNIQUE (v, id); ALTER TABLE t2 ADD UNIQUE (id, v) INCLUDE (o)",
        (
            "ALTER TABLE t ADD CONSTRAINT several UNIQUE (id, v)",
            "CREATE UNIQUE INDEX CONCURRENTLY ix ON t2 (id, o)",
            "CREATE UNIQUE INDEX CONCURRENTLY ix2 ON t1a (id, o)",
            "ALTER TABLE t2 ADD CONSTRAINT u2 UNIQUE USING INDEX ix",
            "ALTER TABLE t ADD CONSTRAINT half UNIQUE (id, o)",
            "ALTER TABLE t2 ADD CONSTRAINT pk2 PRIMARY KEY (id)",
            "ALTER TABLE t1 ADD CONSTRAINT pk1 PRIMARY KEY (id)",
            "ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY (id)",
            "ALTER TABLE t ADD CONSTRAINT again UNIQUE (id)",
        ),
    ),
    Scene(
        "foreign keys that take in those of their partitions",
        "CREATE TABLE o (id int PRIMARY KEY); INSERT INTO o SELECT generate_series(0, 30);"
        "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE p1 PARTITION OF p DEFAULT;"
        "INSERT INTO p SELECT generate_series(0, 30);"
        "CREATE TABLE t (id int, o int, p int) PARTITION BY RANGE (id);"
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10) PARTITION BY LIST (id);"
        "CREATE TABLE t1a PARTITION OF t1 DEFAULT; CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (100);"
        "INSERT INTO t SELECT g, g, g FROM generate_series(1, 30) AS g;"
        "ALTER TABLE t1 ADD CONSTRAINT one FOREIGN KEY (o) REFERENCES o (id);"
        "ALTER TABLE t2 ADD CONSTRAINT two FOREIGN KEY (o) REFERENCES o ON DELETE CASCADE",
        (
            "ALTER TABLE t ADD CONSTRAINT several FOREIGN KEY (o) REFERENCES o",
            "ALTER TABLE t2 ADD CONSTRAINT late FOREIGN KEY (p) REFERENCES p NOT VALID",
            "ALTER TABLE t2 VALIDATE CONSTRAINT late",
            "ALTER TABLE t1 ADD CONSTRAINT far FOREIGN KEY (p) REFERENCES p",
            "ALTER TABLE t ADD CONSTRAINT all_of_them FOREIGN KEY (p) REFERENCES p (id)",
            "ALTER TABLE t ADD CONSTRAINT again FOREIGN KEY (o) REFERENCES o",
        ),
    ),
    Scene(
        "sequences behind defaults",
        T + "CREATE SEQUENCE s; CREATE TABLE p (id int, v text) PARTITION BY LIST (id);"
        "CREATE TABLE p1 PARTITION OF p DEFAULT",
        (
            "GRANT USAGE ON SEQUENCE s TO PUBLIC",
            "ALTER TABLE t ADD COLUMN n bigint DEFAULT nextval('s')",
            "ALTER TABLE t ALTER COLUMN id SET DEFAULT nextval('s'::regclass), ALTER COLUMN n DROP DEFAULT",
            "CREATE TABLE c (id bigint DEFAULT nextval('public.s'), t int REFERENCES t)",
            "ALTER TABLE p ALTER COLUMN id SET DEFAULT nextval('s')",
            "REVOKE USAGE ON SEQUENCE s FROM PUBLIC",
        ),
    ),
)
