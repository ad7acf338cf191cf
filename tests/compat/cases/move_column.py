"""Columns move to another table."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE users (id bigserial PRIMARY KEY, email text NOT NULL, bio text, motto varchar(40));
CREATE TABLE profiles (
    user_id bigint PRIMARY KEY REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE, avatar text NOT NULL DEFAULT ''
);
CREATE INDEX users_bio ON users (bio);
COMMENT ON COLUMN users.bio IS 'In her own words';
GRANT SELECT (bio), UPDATE (bio) ON users TO app_blue;
INSERT INTO users (email, bio, motto)
    SELECT 'u' || n, nullif('Bio ' || n, 'Bio 7'), 'm' || n FROM generate_series(1, 200) AS n;
INSERT INTO profiles (user_id) SELECT id FROM users;
"""
ODD = """
CREATE SCHEMA "Odd %s";
CREATE TABLE "Odd %s"."select" (
    "the ""Key"" x" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "where:x" text, n int UNIQUE
);
CREATE TABLE "Größe" (k1 int PRIMARY KEY, "ref %d" uuid NOT NULL UNIQUE);
INSERT INTO "Odd %s"."select" ("where:x", n) SELECT 'v' || i, i FROM generate_series(1, 200) AS i;
INSERT INTO "Größe" SELECT n, "the ""Key"" x" FROM "Odd %s"."select";
"""
PARTED = """
CREATE TABLE account (id bigint PRIMARY KEY, cents bigint) PARTITION BY RANGE (id);
CREATE TABLE account_1 PARTITION OF account FOR VALUES FROM (0) TO (100);
CREATE TABLE account_2 PARTITION OF account DEFAULT;
CREATE TABLE balance (account_id bigint PRIMARY KEY REFERENCES account (id)) PARTITION BY HASH (account_id);
CREATE TABLE balance_0 PARTITION OF balance FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE balance_1 PARTITION OF balance FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO account SELECT n, n * 100 FROM generate_series(1, 200) AS n;
INSERT INTO balance SELECT n FROM generate_series(1, 150) AS n;
"""
CASES = [
    Case(
        name="users_bio_to_profiles",
        recipe="move-column",
        arguments={"table": "users", "columns": ["bio", "motto"], "to": "profiles", "key": ["user_id=id"]},
        setup=SETUP,
        old=(
            "INSERT INTO users (email, bio) VALUES ('o' || %(n)s::text, 'Old ' || %(n)s::text)",
            "INSERT INTO profiles (user_id) SELECT max(id) FROM users",
            "UPDATE users SET bio = 'Upd ' || %(n)s::text WHERE id = 1 + %(n)s::int %% 100",
            "UPDATE users SET email = 'e' || %(n)s::text WHERE id = 1 + %(n)s::int %% 100",
            "UPDATE profiles SET avatar = 'a' || %(n)s::text WHERE user_id = 1 + %(n)s::int %% 100",
            "DELETE FROM users WHERE id = (SELECT max(id) FROM users)",
        ),
        new=(
            "INSERT INTO users (email) VALUES ('n' || %(n)s::text)",
            "INSERT INTO profiles (user_id, bio) SELECT max(id), 'New ' || %(n)s::text FROM users",
            "UPDATE profiles SET bio = 'New ' || %(n)s::text WHERE user_id = 101 + %(n)s::int %% 50",
            "UPDATE profiles SET motto = NULL WHERE user_id = 101 + %(n)s::int %% 50",
            "DELETE FROM profiles WHERE user_id = (SELECT max(user_id) FROM profiles)",
            "INSERT INTO profiles (user_id, bio) VALUES (3, 'Again') ON CONFLICT (user_id) DO UPDATE SET bio = 'Over'",
        ),
        models="""
from sqlalchemy import BigInteger, Column, ForeignKey, MetaData, String, Table, Text, text

metadata = MetaData()
Table("users", metadata, Column("id", BigInteger, primary_key=True), Column("email", Text, nullable=False))
Table(
    "profiles", metadata,
    Column(
        "user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE", onupdate="CASCADE"), primary_key=True,
        autoincrement=False,
    ),
    Column("avatar", Text, nullable=False, server_default=text("''")),
    Column("bio", Text, comment="In her own words"), Column("motto", String(40)),
)
""",
        rows="SELECT user_id, bio, motto FROM profiles ORDER BY user_id",
    ),
    Case(
        name="odd_move",
        recipe="move-column",
        arguments={
            "table": '"Odd %s"."select"',
            "columns": ["where:x"],
            "to": "Größe",
            "key": ['"ref %d"="the ""Key"" x"'],
        },
        setup=ODD,
        old=(
            'UPDATE "Odd %%s"."select" SET "where:x" = %(n)s::text WHERE n = 1 + %(n)s::int %% 100',
            'INSERT INTO "Odd %%s"."select" ("where:x") VALUES (NULL)',
        ),
        new=('UPDATE "Größe" SET "where:x" = %(n)s::text WHERE k1 = 101 + %(n)s::int %% 100',),
        rows='SELECT k1, "where:x" FROM "Größe" ORDER BY 1',
    ),
    Case(
        name="account_cents",
        recipe="move-column",
        arguments={
            "table": "account",
            "columns": ["cents"],
            "to": "balance",
            "key": ["account_id=id"],
            "using": "(cents / 100.0)::numeric(12,2)",
            "reverse": "(cents * 100)::bigint",
            "create_missing": True,
        },
        comparable=False,  # a foreign key to a partitioned table has one for each partition too
        setup=PARTED,
        old=(
            "UPDATE account SET cents = %(n)s::int WHERE id = 1 + %(n)s::int %% 100",
            "INSERT INTO account VALUES (%(n)s::int, 5)",
        ),
        new=(
            "UPDATE balance SET cents = 1.25 WHERE account_id = 101 + %(n)s::int %% 50",
            "INSERT INTO account VALUES (%(n)s::int)",
            "INSERT INTO balance VALUES (%(n)s::int, 3.25)",
        ),
        rows="SELECT account_id, cents FROM balance ORDER BY 1",
    ),
]
