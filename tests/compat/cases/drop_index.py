"""Indexes that go: one that the old release's ON CONFLICT needs, one with odd names, one of a partitioned table."""

from __future__ import annotations

from tests.compat.cases.add_index import PARTS
from tests.compat.drive import Case

CASES = [
    Case(
        name="drop_users_nick_key",
        recipe="drop-index",
        arguments={"index": "users_nick_key"},
        setup="""
        CREATE TABLE users (id bigserial PRIMARY KEY, nick text, visits int NOT NULL DEFAULT 0);
        CREATE UNIQUE INDEX users_nick_key ON users (nick);
        INSERT INTO users (nick) SELECT 'n' || n FROM generate_series(1, 300) AS n;
        """,
        old=(
            "INSERT INTO users (nick) VALUES ('n1') ON CONFLICT (nick) DO UPDATE SET visits = users.visits + 1",
            "INSERT INTO users (nick) VALUES ('o' || %(n)s::text) ON CONFLICT (nick) DO NOTHING",
        ),
        new=("INSERT INTO users (nick) VALUES ('new' || %(n)s::text)",),
        models="""
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

metadata = MetaData()
Table(
    "users", metadata, Column("id", BigInteger, primary_key=True), Column("nick", Text),
    Column("visits", Integer, nullable=False, server_default="0"),
)
""",
    ),
    Case(
        name="drop_odd",
        recipe="drop-index",
        arguments={"index": '"Sales Dept"."Odd %s ""index"" :x"'},
        setup="""
        CREATE SCHEMA "Sales Dept";
        CREATE TABLE "Sales Dept"."order" (id int PRIMARY KEY, "to %" text);
        CREATE INDEX "Odd %s ""index"" :x" ON "Sales Dept"."order" (lower("to %")) WHERE "to %" <> ':y %';
        COMMENT ON INDEX "Sales Dept"."Odd %s ""index"" :x" IS 'it''s :odd %';
        """,
        old=('INSERT INTO "Sales Dept"."order" VALUES (%(n)s, \'x\')',),
        new=('INSERT INTO "Sales Dept"."order" VALUES (%(n)s, \'y\')',),
    ),
    Case(
        name="drop_parts",
        recipe="drop-index",
        arguments={"index": "Sales Dept.by_to"},
        setup=PARTS + 'CREATE INDEX by_to ON "Sales Dept"."Ord%er" ("to");',
        old=('SELECT id FROM "Sales Dept"."Ord%%er" WHERE "to" = \'x7\'',),
        new=("INSERT INTO \"Sales Dept\".\"Ord%%er\" VALUES (%(n)s, '2025-03-04', 'z')",),
    ),
]
