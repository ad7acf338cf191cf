"""Forms of what stands around tables: triggers, views, types, sequences, policies, grants, comments, and plain DML."""

from __future__ import annotations

from expandcontract.pg.locks.forms.form import EVERY, NOT_PARTITIONED, PARTITIONED, PLAIN, Form, Kind

F = "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
TRIGGER = "CREATE TRIGGER t BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f()"
W = "CREATE VIEW w AS SELECT id, v FROM a"
M = "CREATE MATERIALIZED VIEW m AS SELECT id, v FROM a"
M_INDEXED = f"{M}; CREATE UNIQUE INDEX ON m (id)"
E = "CREATE TYPE e AS ENUM ('x', 'y')"
D = "CREATE DOMAIN d AS int; ALTER TABLE a ADD COLUMN x d"
S = "CREATE SEQUENCE s"


def _form(
    name: str, statement: str, given: str = "", *, case: str = "", on: frozenset[Kind] = PLAIN, since: int = 0
) -> Form:
    return Form(name=name, statement=statement, given=given, case=case, on=on, since=since)


FORMS = (
    _form("create trigger", TRIGGER, F, on=EVERY),
    _form(
        "create trigger", TRIGGER.replace("CREATE", "CREATE OR REPLACE"), f"{F}; {TRIGGER}", on=EVERY, case="or replace"
    ),
    _form(
        "create trigger",
        "CREATE CONSTRAINT TRIGGER t AFTER INSERT ON a DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f()",
        F,
        case="constraint",
    ),
    _form(
        "create statement trigger",
        "CREATE TRIGGER t AFTER INSERT ON a FOR EACH STATEMENT EXECUTE FUNCTION f()",
        F,
        on=PARTITIONED,
    ),
    _form("drop trigger", "DROP TRIGGER t ON a", f"{F}; {TRIGGER}", on=EVERY),
    _form("drop trigger, not there", "DROP TRIGGER IF EXISTS t ON a", on=EVERY),
    _form("enable or disable trigger", "ALTER TABLE a DISABLE TRIGGER t", f"{F}; {TRIGGER}", on=EVERY),
    _form(
        "enable or disable trigger", "ALTER TABLE a ENABLE ALWAYS TRIGGER t", f"{F}; {TRIGGER}", on=EVERY, case="enable"
    ),
    _form("rename trigger", "ALTER TRIGGER t ON a RENAME TO t2", f"{F}; {TRIGGER}", on=EVERY),
    _form("create function", F),
    _form("create function", F.replace("CREATE", "CREATE OR REPLACE"), f"{F}; {TRIGGER}", case="of a trigger"),
    _form("alter function", "ALTER FUNCTION f() SECURITY DEFINER", f"{F}; {TRIGGER}"),
    _form("drop function", "DROP FUNCTION f()", F),
    _form("drop function + drop by cascade", "DROP FUNCTION f() CASCADE", f"{F}; {TRIGGER}"),
    _form("create view", W, on=EVERY),
    _form("create or replace view", "CREATE OR REPLACE VIEW w AS SELECT id, v, n FROM a", W, on=EVERY),
    _form("drop view", "DROP VIEW w", W),
    _form("drop view, not there", "DROP VIEW IF EXISTS w"),
    _form("rename view", "ALTER VIEW w RENAME TO w2", W),
    _form("set view option", "ALTER VIEW w SET (security_barrier)", W),
    _form("create materialized view", M, on=EVERY),
    _form("refresh materialized view", "REFRESH MATERIALIZED VIEW m", M, on=EVERY),
    _form("refresh materialized view", "REFRESH MATERIALIZED VIEW m", M_INDEXED, case="indexed"),
    _form("refresh materialized view concurrently", "REFRESH MATERIALIZED VIEW CONCURRENTLY m", M_INDEXED),
    _form("drop materialized view", "DROP MATERIALIZED VIEW m", M),
    _form("create rule", "CREATE RULE r AS ON INSERT TO a DO ALSO NOTHING"),
    _form("create type", E),
    _form("add enum value", "ALTER TYPE e ADD VALUE 'z'", f"{E}; ALTER TABLE a ADD COLUMN x e"),
    _form("rename enum value", "ALTER TYPE e RENAME VALUE 'x' TO 'z'", f"{E}; ALTER TABLE a ADD COLUMN x e"),
    _form("rename type", "ALTER TYPE e RENAME TO e2", f"{E}; ALTER TABLE a ADD COLUMN x e"),
    _form("drop type", "DROP TYPE e", E),
    _form("create domain", "CREATE DOMAIN d AS int CHECK (VALUE > 0)"),
    _form("add domain check", "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0)", D, on=NOT_PARTITIONED),
    _form("add domain check not valid", "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID", D),
    _form(
        "validate domain check",
        "ALTER DOMAIN d VALIDATE CONSTRAINT c",
        f"{D}; ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID",
    ),
    _form(
        "set domain not null", "ALTER DOMAIN d SET NOT NULL", "CREATE DOMAIN d AS int; ALTER TABLE a ADD x d DEFAULT 1"
    ),
    _form("alter domain", "ALTER DOMAIN d DROP NOT NULL", D, case="drop not null"),
    _form("alter domain", "ALTER DOMAIN d SET DEFAULT 5", D, case="default"),
    _form("drop domain", "DROP DOMAIN d", "CREATE DOMAIN d AS int"),
    _form("create sequence", S),
    _form("create sequence", S + " OWNED BY a.n", case="owned"),
    _form("alter sequence", "ALTER SEQUENCE s INCREMENT 2", S),
    _form("alter sequence", "ALTER SEQUENCE s AS bigint", S, case="type"),
    _form("alter sequence", "ALTER SEQUENCE s RESTART WITH 5", S, case="restart"),
    _form("own sequence", "ALTER SEQUENCE s OWNED BY a.n", S),
    _form("rename sequence", "ALTER SEQUENCE s RENAME TO s2", S),
    _form("drop sequence", "DROP SEQUENCE s", S),
    _form("grant", "GRANT SELECT ON a TO PUBLIC", on=EVERY),
    _form("grant", "GRANT USAGE ON SEQUENCE s TO PUBLIC", S, case="sequence"),
    _form("revoke", "REVOKE USAGE ON SEQUENCE s FROM PUBLIC", S, case="sequence"),
    _form("revoke", "REVOKE SELECT (v) ON a FROM PUBLIC", on=EVERY),
    _form("comment on column", "COMMENT ON COLUMN a.v IS 'x'", on=EVERY),
    _form("comment on table", "COMMENT ON TABLE a IS 'x'", on=EVERY),
    _form("comment on constraint", "COMMENT ON CONSTRAINT a_pkey ON a IS 'x'"),
    _form("comment on index", "COMMENT ON INDEX a_ix IS 'x'", "CREATE INDEX a_ix ON a (v)"),
    _form("drop sequence, not there", "DROP SEQUENCE IF EXISTS s"),
    _form("drop rule", "DROP RULE r ON a", "CREATE RULE r AS ON INSERT TO a DO ALSO NOTHING"),
    _form("drop schema", "DROP SCHEMA forms_schema", "CREATE SCHEMA forms_schema"),
    _form("create policy", "CREATE POLICY y ON a USING (true)", on=EVERY),
    _form("alter policy", "ALTER POLICY y ON a USING (n > 0)", "CREATE POLICY y ON a USING (true)"),
    _form("drop policy", "DROP POLICY y ON a", "CREATE POLICY y ON a USING (true)"),
    _form("create statistics", "CREATE STATISTICS st ON v, n FROM a", on=EVERY),
    _form("drop statistics", "DROP STATISTICS st", "CREATE STATISTICS st ON v, n FROM a"),
    _form("create publication", "CREATE PUBLICATION form_pub FOR TABLE a", on=EVERY),
    _form("select", "SELECT id FROM a", on=EVERY),
    _form("select for update", "SELECT id FROM a FOR UPDATE", on=EVERY),
    _form("insert", "INSERT INTO a (id) VALUES (5001)", on=NOT_PARTITIONED),
    _form("update", "UPDATE a SET v = 'x'", on=EVERY),
    _form("delete", "DELETE FROM a", on=EVERY),
    _form("set", "SET LOCAL lock_timeout = '1s'"),
    _form("create schema", "CREATE SCHEMA forms_schema"),
)
