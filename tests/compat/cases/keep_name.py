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
CASES = [
    Case(
        name="parts_amount_bigint",
        recipe="keep-name",
        arguments={"table": "parts", "column": "amount", "type_": "bigint"},
        setup=SETUP,
        old=STATEMENTS,
        new=STATEMENTS,
        models=MODELS,
        rows="SELECT id, amount FROM parts WHERE id <= 200 ORDER BY id",
    ),
    Case(
        name="parts_code_text",
        recipe="keep-name",
        arguments={"table": "parts", "column": "code", "type_": "text", "reverse": "nullif(code, '')::integer"},
        setup=SETUP,
        old=("SELECT code FROM parts", "UPDATE parts SET amount = %(n)s WHERE id = 1 + %(n)s::int %% 100"),
        new=("SELECT code FROM parts", "UPDATE parts SET code = NULL WHERE id = 101 + %(n)s::int %% 100"),
        rows="SELECT id, code FROM parts WHERE id <= 200 ORDER BY id",
    ),
]
