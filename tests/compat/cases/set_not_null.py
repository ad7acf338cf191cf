"""NOT NULL, with rows that lack a value when it begins and more of them until the old release is gone."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE users (id bigserial PRIMARY KEY, nick text);
INSERT INTO users (nick) SELECT CASE WHEN n % 3 = 0 THEN NULL ELSE 'n' || n END FROM generate_series(1, 200) AS n;
CREATE SCHEMA "Sales Dept";
CREATE TABLE "Sales Dept"."Order: List" (id bigint NOT NULL, "Who's ""%"" :x" text, at date NOT NULL)
    PARTITION BY RANGE (at);
CREATE TABLE "Sales Dept"."Order: 2024" PARTITION OF "Sales Dept"."Order: List"
    FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "Sales Dept"."Order: rest" PARTITION OF "Sales Dept"."Order: List" DEFAULT;
INSERT INTO "Sales Dept"."Order: List" SELECT n, 'n' || n, '2024-12-01'::date + n FROM generate_series(1, 100) AS n;
"""
MODELS = """
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata = MetaData()
users = Table("users", metadata, Column("id", BigInteger, primary_key=True), Column("nick", Text, nullable=False))
"""
CASES = [
    Case(
        name="users_nick_not_null",
        recipe="set-not-null",
        arguments={"table": "users", "column": "nick", "fill": "'user ' || id"},
        setup=SETUP,
        old=(
            "INSERT INTO users (nick) VALUES (NULL)",
            "UPDATE users SET nick = NULL WHERE id = 1 + %(n)s::int %% 100",
            "SELECT nick FROM users WHERE nick IS NULL",
        ),
        new=(
            "INSERT INTO users (nick) VALUES ('new ' || %(n)s::text)",
            "UPDATE users SET nick = 'n' || %(n)s::text WHERE id = 101 + %(n)s::int %% 100",
        ),
        models=MODELS,
        rows="SELECT id, coalesce(nick, 'user ' || id) FROM users WHERE id <= 200 ORDER BY id",
    ),
    Case(
        name="orders_who_not_null",
        recipe="set-not-null",
        arguments={"table": "Sales Dept.Order: List", "column": 'Who\'s "%" :x'},
        setup=SETUP,
        old=(
            """INSERT INTO "Sales Dept"."Order: List" VALUES (%(n)s, ':old %%', date '2024-12-1' + %(n)s::int %% 60)""",
        ),
        new=(
            """INSERT INTO "Sales Dept"."Order: List" VALUES (%(n)s, ':new %%', date '2024-12-1' + %(n)s::int %% 60)""",
        ),
    ),
]
