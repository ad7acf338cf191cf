"""Another type under the same name."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE parts (id bigserial PRIMARY KEY, amount int NOT NULL DEFAULT 1 CHECK (amount > 0), code int UNIQUE);
CREATE INDEX ix_parts_amount ON parts (amount) WHERE amount > 10;
COMMENT ON COLUMN parts.amount IS 'how many';
GRANT SELECT (amount) ON parts TO app_blue;
INSERT INTO parts (amount, code) SELECT n, n FROM generate_series(1, 200) AS n;
"""
STATEMENTS = (
    "INSERT INTO parts (code) VALUES (%(n)s)",
    "INSERT INTO parts (amount, code) VALUES (%(n)s, -%(n)s)",
    "UPDATE parts SET amount = %(n)s WHERE id = 1 + %(n)s::int %% 100",
    "SELECT amount FROM parts WHERE amount > 5",
)
MODELS = """
from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, MetaData, Table, text

metadata = MetaData()
parts = Table(
    "parts", metadata, Column("id", BigInteger, primary_key=True),
    Column("amount", BigInteger, CheckConstraint("amount > 0"), nullable=False, server_default=text("1"),
           comment="how many"),
    Column("code", Integer, unique=True),
    Index("ix_parts_amount", "amount", postgresql_where=text("amount > 10")),
)
"""
SHOP = """
CREATE SCHEMA "Shop";
CREATE TABLE "Shop"."Price: List" (id int NOT NULL, "50% ""of"" it" int NOT NULL DEFAULT 5,
    day date NOT NULL DEFAULT '2020-02-02',
    CONSTRAINT "sane:100%" CHECK (num_nonnulls("50% ""of"" it", id) = 2))
    PARTITION BY RANGE (day);
CREATE TABLE "Shop".early PARTITION OF "Shop"."Price: List" FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE "Shop".late PARTITION OF "Shop"."Price: List" FOR VALUES FROM ('2021-01-01') TO ('2030-01-01');
INSERT INTO "Shop"."Price: List" SELECT n, n * 100, date '2020-06-01' + n * 5 FROM generate_series(1, 200) AS n;
"""
SHOP_STATEMENTS = (
    """INSERT INTO "Shop"."Price: List" (id) VALUES (%(n)s)""",
    """UPDATE "Shop"."Price: List" SET "50%% ""of"" it" = %(n)s WHERE id = 1 + %(n)s::int %% 150""",
)
CASES = [
    Case(
        name="parts_amount_bigint",
        recipe="change-type",
        arguments={"table": "parts", "column": "amount", "type": "bigint", "keep_name": True},
        setup=SETUP,
        old=STATEMENTS,
        new=STATEMENTS,
        models=MODELS,
        rows="SELECT id, amount FROM parts WHERE id <= 200 ORDER BY id",
    ),
    Case(
        name="parts_code_text",
        recipe="change-type",
        arguments={
            "table": "parts",
            "column": "code",
            "type": "text",
            "using": "code::text",
            "reverse": "nullif(code, '')::integer",
            "keep_name": True,
        },
        setup=SETUP,
        old=("SELECT code FROM parts", "UPDATE parts SET amount = %(n)s WHERE id = 1 + %(n)s::int %% 100"),
        new=("SELECT code FROM parts", "UPDATE parts SET code = NULL WHERE id = 101 + %(n)s::int %% 100"),
        rows="SELECT id, code FROM parts WHERE id <= 200 ORDER BY id",
    ),
    Case(
        name="price_in_parts",
        recipe="change-type",
        arguments={"table": '"Shop"."Price: List"', "column": '50% "of" it', "type": "bigint", "keep_name": True},
        setup=SHOP,
        old=SHOP_STATEMENTS,
        new=SHOP_STATEMENTS,
    ),
]
