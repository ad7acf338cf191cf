"""UNIQUE, of a plain table and of partitions two deep."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE member (id bigserial PRIMARY KEY, email text, team int, seat text);
INSERT INTO member (email, team) SELECT 'm' || n, n % 7 FROM generate_series(1, 200) AS n;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id bigint NOT NULL, region int NOT NULL, at date NOT NULL) PARTITION BY LIST (region);
CREATE TABLE shop.orders_0 PARTITION OF shop.orders FOR VALUES IN (0);
CREATE TABLE shop."orders 1" PARTITION OF shop.orders FOR VALUES IN (1) PARTITION BY RANGE (at);
CREATE TABLE shop."orders 1 now" PARTITION OF shop."orders 1" DEFAULT;
INSERT INTO shop.orders SELECT n, n % 2, date '2024-01-01' + n FROM generate_series(1, 200) AS n;
"""
MODELS = """
from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()
member = Table(
    "member", metadata, Column("id", BigInteger, primary_key=True), Column("email", Text), Column("team", Integer),
    Column("seat", Text),
    UniqueConstraint("email", "team", name="one email a team", postgresql_nulls_not_distinct=True),
)
"""
CASES = [
    Case(
        name="member_email",
        recipe="add-unique",
        arguments={
            "table": "member",
            "columns": ["email", "team"],
            "include": ["seat"],
            "nulls_not_distinct": True,
            "constraint": "one email a team",
        },
        setup=SETUP,
        old=("INSERT INTO member (email, team) VALUES ('old ' || %(n)s::text, 1)",),
        new=("INSERT INTO member (email, team) VALUES ('new ' || %(n)s::text, 1)",),
        models=MODELS,
        rows="SELECT id, email FROM member WHERE id <= 200 ORDER BY id",
    ),
    Case(
        name="orders_once",
        recipe="add-unique",
        arguments={"table": "shop.orders", "columns": ["id", "region", "at"]},
        setup=SETUP,
        old=("INSERT INTO shop.orders VALUES (%(n)s, %(n)s::int %% 2, '2025-01-01')",),
        new=("INSERT INTO shop.orders VALUES (%(n)s, %(n)s::int %% 2, '2026-01-01')",),
    ),
]
