"""Indexes: of columns, of an expression, of a table with partitions of several levels."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE users (id bigserial PRIMARY KEY, nick text, "Län d" text DEFAULT 'x');
INSERT INTO users (nick) SELECT 'n' || n FROM generate_series(1, 300) AS n;
"""
PARTS = """
CREATE SCHEMA "Sales Dept";
CREATE TABLE "Sales Dept"."Ord%er" (id int, at date, "to" text) PARTITION BY RANGE (at);
CREATE TABLE "Sales Dept".y2024 PARTITION OF "Sales Dept"."Ord%er" FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "Sales Dept".y2025 PARTITION OF "Sales Dept"."Ord%er" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
    PARTITION BY HASH (id);
CREATE TABLE "Sales Dept".y2025_0 PARTITION OF "Sales Dept".y2025 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE "Sales Dept".y2025_1 PARTITION OF "Sales Dept".y2025 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO "Sales Dept"."Ord%er" SELECT n, date '2024-01-01' + n, 'x' || n FROM generate_series(1, 700) AS n;
"""
CASES = [
    Case(
        name="ix_users_nick",
        recipe="add-index",
        arguments={"table": "users", "columns": ("nick",)},
        setup=SETUP,
        old=("INSERT INTO users (nick) VALUES ('o' || %(n)s::text)",),
        new=("SELECT id FROM users WHERE nick = 'n' || %(n)s::text",),
        models="""
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata = MetaData()
Table(
    "users", metadata, Column("id", BigInteger, primary_key=True), Column("nick", Text, index=True),
    Column("Län d", Text, server_default="x"),
)
""",
    ),
    Case(
        name="ix_lower",
        recipe="add-index",
        arguments={
            "table": "users",
            "columns": ("Län d",),
            "expression": ("lower(nick) DESC NULLS LAST", "nick || ':x %'"),
            "include": ("id",),
            "where": "nick <> '100 % :y'",
            "index": 'Odd %s "index" :x',
        },
        setup=SETUP,
        old=("INSERT INTO users (nick) VALUES ('o' || %(n)s::text)",),
        new=("SELECT id FROM users WHERE lower(nick) = 'n' || %(n)s::text",),
        comparable=False,  # an expression with a colon, which reflection reads as a parameter
    ),
    Case(
        name="ix_parts",
        recipe="add-index",
        arguments={"table": "Sales Dept.Ord%er", "columns": ("to", "at"), "method": "btree"},
        setup=PARTS,
        old=("INSERT INTO \"Sales Dept\".\"Ord%%er\" VALUES (%(n)s, '2025-03-04', 'z')",),
        new=('SELECT id FROM "Sales Dept"."Ord%%er" WHERE "to" = \'x7\'',),
    ),
]
