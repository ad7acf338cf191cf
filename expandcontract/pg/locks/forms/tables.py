"""Forms that make, change and drop tables and their partitions."""

from __future__ import annotations

from expandcontract.core.effect import LockMode
from expandcontract.pg.locks.forms.form import EVERY, NOT_PARTITIONED, PARTITIONED, PLAIN, Form, Kind

FK = "ALTER TABLE a ADD CONSTRAINT c FOREIGN KEY (b_id) REFERENCES b"
REVERSE = "CREATE TABLE r (u int REFERENCES a)"
P = "CREATE TABLE p (LIKE a) PARTITION BY RANGE (id); CREATE TABLE p_1 PARTITION OF p FOR VALUES FROM (1000) TO (2000)"
P_D = P + "; CREATE TABLE p_d PARTITION OF p DEFAULT"
IN_P = P + "; ALTER TABLE p ATTACH PARTITION a FOR VALUES FROM (0) TO (1000)"
P_KEY = "ALTER TABLE p ADD PRIMARY KEY (id)"
P_FK = "ALTER TABLE p ADD CONSTRAINT c FOREIGN KEY (b_id) REFERENCES b"
P_REVERSE = "CREATE TABLE r (u int REFERENCES p)"
BOUND = "ALTER TABLE a ADD CONSTRAINT bound CHECK (id IS NOT NULL AND id >= 0 AND id < 1000)"
ATTACH = "ALTER TABLE p ATTACH PARTITION a FOR VALUES FROM (0) TO (1000)"


def _form(
    name: str,
    statement: str,
    given: str = "",
    *,
    case: str = "",
    on: frozenset[Kind] = PLAIN,
    transactional: bool = True,
    since: int = 0,
) -> Form:
    return Form(name=name, statement=statement, given=given, case=case, on=on, transactional=transactional, since=since)


FORMS = (
    _form("create table", "CREATE TABLE z (id int PRIMARY KEY)"),
    _form("create table", "CREATE TABLE z (id int DEFAULT nextval('s'))", "CREATE SEQUENCE s", case="nextval"),
    _form("create table, there already", "CREATE TABLE IF NOT EXISTS a (id int)"),
    _form("create table references", "CREATE TABLE z (b_id int REFERENCES b)"),
    _form("create table like", "CREATE TABLE z (LIKE a INCLUDING ALL)", on=EVERY),
    _form("create table inherits", "CREATE TABLE z () INHERITS (a)", on=NOT_PARTITIONED),
    _form("create table as", "CREATE TABLE z AS SELECT * FROM a"),
    _form("create partition", "CREATE TABLE z PARTITION OF a FOR VALUES FROM (1000) TO (2000)", on=PARTITIONED),
    _form(
        "create partition",
        "CREATE TABLE z PARTITION OF a FOR VALUES FROM (1000) TO (2000)",
        FK,
        on=PARTITIONED,
        case="of a foreign key",
    ),
    _form(
        "create partition",
        "CREATE TABLE z PARTITION OF a FOR VALUES FROM (1000) TO (2000)",
        REVERSE,
        on=PARTITIONED,
        case="referenced",
    ),
    _form(
        "create partition beside default",
        "CREATE TABLE z PARTITION OF p FOR VALUES FROM (0) TO (1000)",
        P_D,
    ),
    _form(
        "create partition beside default",
        "CREATE TABLE z PARTITION OF p FOR VALUES FROM (0) TO (1000)",
        f"{P_D}; {P_FK}",
        case="of a foreign key",
    ),
    _form(
        "create partition beside default",
        "CREATE TABLE z PARTITION OF p FOR VALUES FROM (0) TO (1000)",
        f"{P_D}; {P_KEY}; {P_REVERSE}",
        case="referenced",
    ),
    _form("rename table", "ALTER TABLE a RENAME TO z", on=EVERY),
    _form("set schema", "ALTER TABLE a SET SCHEMA other", "CREATE SCHEMA IF NOT EXISTS other", on=EVERY),
    _form(
        "set schema",
        "ALTER TABLE a SET SCHEMA other",
        "CREATE SCHEMA IF NOT EXISTS other; ALTER TABLE a ADD COLUMN x serial",
        case="with a sequence",
    ),
    _form("drop table", "DROP TABLE a", on=EVERY - {Kind.INHERITED}),
    _form("drop table", "DROP TABLE a CASCADE", on=frozenset({Kind.INHERITED}), case="cascade"),
    _form("drop table, not there", "DROP TABLE IF EXISTS z"),
    _form("drop table + drop foreign key", "DROP TABLE a", FK, on=EVERY - {Kind.INHERITED}),
    _form("drop table + drop foreign key", "DROP TABLE a CASCADE", REVERSE, case="referenced", on=EVERY),
    _form("drop table + drop view", "DROP TABLE a CASCADE", "CREATE VIEW w AS SELECT id FROM a"),
    _form("drop partition", "DROP TABLE a", IN_P),
    _form("drop partition", "DROP TABLE a", f"{P_D}; {ATTACH}", case="beside default"),
    _form("truncate", "TRUNCATE a", on=EVERY),
    _form("truncate cascade", "TRUNCATE a CASCADE", REVERSE, on=EVERY),
    _form("set table option", "ALTER TABLE a SET (fillfactor = 90)", on=NOT_PARTITIONED),
    _form("owner", "ALTER TABLE a OWNER TO CURRENT_USER", on=EVERY),
    _form("replica identity", "ALTER TABLE a REPLICA IDENTITY FULL", on=EVERY),
    _form("set unlogged", "ALTER TABLE a SET UNLOGGED", on=NOT_PARTITIONED),
    _form("set logged", "ALTER TABLE a SET LOGGED", "ALTER TABLE a SET UNLOGGED"),
    _form("row security", "ALTER TABLE a ENABLE ROW LEVEL SECURITY", on=EVERY),
    _form("row security", "ALTER TABLE a FORCE ROW LEVEL SECURITY", on=EVERY, case="force"),
    _form("inherit", "ALTER TABLE a INHERIT p", "CREATE TABLE p (LIKE a)", on=PLAIN),
    _form("no inherit", "ALTER TABLE a NO INHERIT p", "CREATE TABLE p (LIKE a); ALTER TABLE a INHERIT p"),
    _form("cluster on", "ALTER TABLE a CLUSTER ON a_pkey", on=NOT_PARTITIONED),
    _form("attach partition", ATTACH, P),
    _form("attach partition, proved by check", ATTACH, f"{P}; {BOUND}"),
    _form("attach partition, beside default", ATTACH, P_D),
    _form("attach partition, beside default, proved by check", ATTACH, f"{P_D}; {BOUND}"),
    _form("attach partition, of a foreign key", ATTACH, f"{P}; {P_FK}; {BOUND}"),
    _form("attach partition, foreign key there already", ATTACH, f"{P}; {P_FK}; {BOUND}; {FK}"),
    _form("attach partition, referenced", ATTACH, f"{P}; {P_KEY}; {P_REVERSE}; {BOUND}"),
    _form("detach partition", "ALTER TABLE p DETACH PARTITION a", IN_P),
    _form("detach partition", "ALTER TABLE p DETACH PARTITION a", f"{P_D}; {ATTACH}", case="beside default"),
    _form("detach partition", "ALTER TABLE p DETACH PARTITION a", f"{P}; {P_FK}; {ATTACH}", case="of a foreign key"),
    _form(
        "detach partition",
        "ALTER TABLE p DETACH PARTITION a",
        f"{P}; {P_KEY}; {P_REVERSE}; {ATTACH}",
        case="referenced",
    ),
    _form("detach partition concurrently", "ALTER TABLE p DETACH PARTITION a CONCURRENTLY", IN_P, transactional=False),
    _form("drop by cascade", "DROP SCHEMA forms CASCADE", case="schema"),
    _form("cluster", "CLUSTER a USING a_pkey"),
    _form("vacuum", "VACUUM a", transactional=False),
    _form("vacuum full", "VACUUM FULL a", transactional=False),
    _form("analyze", "ANALYZE a", on=PLAIN),
    *(_form(f"lock table {mode}", f"LOCK TABLE a IN {mode} MODE", on=EVERY) for mode in LockMode),
    _form("alter table, not there", "ALTER TABLE IF EXISTS z ADD COLUMN x int"),
)
