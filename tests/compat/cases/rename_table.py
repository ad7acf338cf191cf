"""A table gets another name: with grants, row level security, and one with partitions in another schema."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE users (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL UNIQUE, visits int DEFAULT 7,
    long int GENERATED ALWAYS AS (length(name)) STORED
);
CREATE INDEX ix_users_visits ON users (visits);
COMMENT ON TABLE users IS 'people';
GRANT SELECT, INSERT ON users TO app_blue;
GRANT UPDATE (name) ON users TO app_blue WITH GRANT OPTION;
GRANT SELECT ON users TO PUBLIC;
ALTER TABLE users ENABLE ROW LEVEL SECURITY;
CREATE POLICY seen ON users FOR SELECT USING (visits < 1000);
INSERT INTO users (name) SELECT 'User ' || n FROM generate_series(1, 200) AS n;
CREATE TABLE badge (id bigint PRIMARY KEY, owner bigint REFERENCES users);
CREATE SCHEMA "sales %";
CREATE TABLE "sales %"."order" (id bigint NOT NULL, ":at" date NOT NULL) PARTITION BY RANGE (":at");
CREATE TABLE "sales %"."order rest" PARTITION OF "sales %"."order" DEFAULT;
"""
MODELS = """
from sqlalchemy import BigInteger, Column, Computed, Date, ForeignKey, Identity, Index, Integer, MetaData, Table, Text

metadata = MetaData()
accounts = Table(
    "accounts", metadata, Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("name", Text, nullable=False, unique=True), Column("visits", Integer, server_default="7"),
    Column("long", Integer, Computed("length(name)")), Index("ix_users_visits", "visits"), comment="people",
)
badge = Table(
    "badge", metadata, Column("id", BigInteger, primary_key=True),
    Column("owner", BigInteger, ForeignKey("accounts.id")),
)
"""


def _statements(table: str, who: str) -> tuple[str, ...]:
    return (
        f"INSERT INTO {table} (name) VALUES ('{who} ' || %(n)s::text) RETURNING id",
        f"INSERT INTO {table} (name) VALUES ('{who}') ON CONFLICT (name) DO UPDATE SET visits = excluded.visits + 1",
        f"UPDATE {table} SET visits = visits + 1 WHERE id = 1 + %(n)s::int %% 100",
        f"DELETE FROM {table} WHERE name = '{who} ' || %(n)s::text",
        f"SELECT * FROM {table} WHERE id < 10 FOR UPDATE",
    )


CASES = [
    Case(
        name="users_to_accounts",
        recipe="rename-table",
        arguments={"old": "users", "new": "accounts"},
        setup=SETUP,
        old=(
            *_statements("users", "old"),
            "DO $$ BEGIN SET LOCAL ROLE app_blue; PERFORM name FROM users; UPDATE users SET name = name; END $$",
        ),
        new=_statements("accounts", "new"),
        models=MODELS,
        rows="SELECT id, name FROM accounts WHERE id <= 200 ORDER BY id",
    ),
    Case(
        name="order_to_orders",
        recipe="rename-table",
        arguments={"old": "sales %.order", "new": 'all "orders":x'},
        setup=SETUP,
        old=("""INSERT INTO "sales %%"."order" VALUES (%(n)s, now())""",),
        new=("""INSERT INTO "sales %%"."all ""orders"":x" VALUES (%(n)s, now())""",),
    ),
]
