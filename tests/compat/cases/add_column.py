"""Added columns: at once, filled, with a sequence, in a partitioned table, and with names that need quoting."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE users (id bigserial PRIMARY KEY, full_name text NOT NULL);
GRANT ALL ON users TO app_blue;
GRANT ALL ON SEQUENCE users_id_seq TO app_blue;
INSERT INTO users (full_name) SELECT 'User ' || n FROM generate_series(1, 300) AS n;
"""
OLD = (
    "INSERT INTO users (full_name) VALUES ('old ' || %(n)s::text)",
    "UPDATE users SET full_name = 'o' || %(n)s::text WHERE id = 1 + %(n)s::int %% 100",
    "SELECT id, full_name FROM users ORDER BY id DESC LIMIT 5",
)
ODD = 'Naïve "state" %s :x'
AWAY = '"Sales Dept"."Order, \'list\'"'
QUOTED = '"' + ODD.replace('"', '""').replace("%", "%%") + '"'
CASES = [
    Case(
        name="users_nick",
        recipe="add-column",
        arguments={"table": "users", "column": "nick", "type": "text", "comment": 'what they\'re "called" %'},
        setup=SETUP,
        old=OLD,
        new=(
            "INSERT INTO users (full_name, nick) VALUES ('new', 'n' || %(n)s::text)",
            "UPDATE users SET nick = 'n' || %(n)s::text WHERE id = 101 + %(n)s::int %% 100",
        ),
        models="""
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata = MetaData()
Table(
    "users", metadata, Column("id", BigInteger, primary_key=True), Column("full_name", Text, nullable=False),
    Column("nick", Text, comment="what they're \\"called\\" %"),
)
""",
    ),
    Case(
        name="users_state",
        recipe="add-column",
        arguments={"table": "users", "column": "state", "type": "varchar(10)", "default": "'new'", "not_null": True},
        setup=SETUP,
        old=OLD,
        new=(
            "INSERT INTO users (full_name, state) VALUES ('new', 's' || %(n)s::int %% 1000)",
            "SELECT 1 / count(*) FROM users WHERE state = 'new'",
        ),
    ),
    Case(
        name="users_token",
        recipe="add-column",
        arguments={
            "table": "users",
            "column": "token",
            "type": "uuid",
            "default": "gen_random_uuid()",
            "not_null": True,
        },
        setup=SETUP,
        old=OLD,
        new=(
            "INSERT INTO users (full_name, token) VALUES ('new', gen_random_uuid())",
            "SELECT 1 / (1 - count(*)) FROM users WHERE token IS NULL",
        ),
        models="""
from sqlalchemy import BigInteger, Column, MetaData, Table, Text, Uuid, func

metadata = MetaData()
Table(
    "users", metadata, Column("id", BigInteger, primary_key=True), Column("full_name", Text, nullable=False),
    Column("token", Uuid, nullable=False, server_default=func.gen_random_uuid()),
)
""",
    ),
    Case(
        name="users_slug",
        recipe="add-column",
        arguments={
            "table": "users",
            "column": "slug",
            "type": "text",
            "default": "''",
            "fill": "lower(full_name)",
            "not_null": True,
        },
        setup=SETUP,
        old=OLD,
        new=(
            "INSERT INTO users (full_name, slug) VALUES ('new', 'n' || %(n)s::text)",
            "SELECT 1 / count(*) FROM users WHERE slug = 'user 300'",
        ),
    ),
    Case(
        name="users_number",
        recipe="add-column",
        arguments={"table": "users", "column": "number", "type": "bigserial"},
        setup=SETUP,
        old=("SET SESSION AUTHORIZATION app_blue", *OLD),
        new=(
            "SET SESSION AUTHORIZATION app_blue",
            "INSERT INTO users (full_name) VALUES ('new')",
            "SELECT 1 / (1 - (count(*) - count(DISTINCT number))) FROM users",
        ),
    ),
    Case(
        name="odd",
        recipe="add-column",
        arguments={"table": "Sales Dept.Order, 'list'", "column": ODD, "type": "numeric(12,3)[]", "default": "'{1.5}'"},
        setup=f"""
        CREATE SCHEMA "Sales Dept";
        CREATE TABLE {AWAY} (id int, region text NOT NULL, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
        CREATE TABLE "Sales Dept".north PARTITION OF {AWAY} FOR VALUES IN ('north');
        CREATE TABLE "Sales Dept".rest PARTITION OF {AWAY} DEFAULT;
        INSERT INTO {AWAY} SELECT n, CASE n % 2 WHEN 0 THEN 'north' ELSE 'south' END FROM generate_series(1, 50) AS n;
        """,
        old=(f"INSERT INTO {AWAY} VALUES (%(n)s, 'north')", f"SELECT id, region FROM {AWAY}"),
        new=(f"INSERT INTO {AWAY} (id, region, {QUOTED}) VALUES (%(n)s, 'east', '{{2}}')",),
    ),
    Case(
        name="odd_filled",
        recipe="add-column",
        arguments={
            "table": "Sales Dept.Order, 'list'",
            "column": "order",
            "type": "double precision",
            "default": "random()",
            "not_null": True,
        },
        setup=f"""
        CREATE SCHEMA "Sales Dept";
        CREATE TABLE {AWAY} (id int, region text NOT NULL, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
        CREATE TABLE "Sales Dept".north PARTITION OF {AWAY} FOR VALUES IN ('north');
        CREATE TABLE "Sales Dept".rest PARTITION OF {AWAY} DEFAULT;
        INSERT INTO {AWAY} SELECT n, CASE n % 2 WHEN 0 THEN 'north' ELSE 'south' END FROM generate_series(1, 50) AS n;
        """,
        old=(f"INSERT INTO {AWAY} VALUES (%(n)s, 'north')", f"SELECT id, region FROM {AWAY}"),
        new=(f"INSERT INTO {AWAY} (id, region, \"order\") VALUES (%(n)s, 'east', 2)",),
    ),
]
GUARDED = """
CREATE TABLE notes (
    id bigserial PRIMARY KEY, body text, touched int NOT NULL DEFAULT 0,
    twice text GENERATED ALWAYS AS (body || body) STORED
);
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
ALTER TABLE notes FORCE ROW LEVEL SECURITY;
CREATE POLICY mine ON notes USING (body <> 'hidden');
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := OLD.touched + 1; RETURN NEW; END $$;
CREATE TRIGGER touch BEFORE UPDATE OF body ON notes FOR EACH ROW EXECUTE FUNCTION touch();
CREATE PUBLICATION everything FOR TABLE notes;
INSERT INTO notes (body) SELECT CASE n % 10 WHEN 0 THEN 'hidden' ELSE 'n' || n END FROM generate_series(1, 300) AS n;
"""
CASES.append(
    Case(
        name="notes_token",
        recipe="add-column",
        arguments={
            "table": "notes",
            "column": "token",
            "type": "uuid",
            "default": "gen_random_uuid()",
            "not_null": True,
        },
        setup=GUARDED,
        old=("INSERT INTO notes (body) VALUES ('o')", "UPDATE notes SET body = 'p' WHERE id = 1 + %(n)s::int %% 100"),
        new=("SELECT 1 / (1 - count(*)) FROM notes WHERE token IS NULL",),
        rows="SELECT id, body, touched, token FROM notes ORDER BY id",
    )
)
