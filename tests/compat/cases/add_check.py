"""A CHECK that rows break when it begins."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE price (id bigserial PRIMARY KEY, amount numeric(12,2), "order" text DEFAULT 'none');
INSERT INTO price (amount) SELECT n - 20 FROM generate_series(1, 200) AS n;
CREATE TABLE "100%" (id bigserial PRIMARY KEY, "select" text);
INSERT INTO "100%" ("select") SELECT 'n' || n FROM generate_series(1, 200) AS n;
"""
CASES = [
    Case(
        name="price_amount",
        recipe="add-check",
        arguments={
            "table": "price",
            "constraint": "amount :is positive",
            "sql": "price.amount >= 0 AND \"order\" <> ':x%'",
            "fill": "amount=abs(amount)",
        },
        setup=SETUP,
        old=(
            "INSERT INTO price (amount) VALUES (-1)",
            "UPDATE price SET amount = - amount WHERE id = 1 + %(n)s::int %% 100",
        ),
        new=(
            "INSERT INTO price (amount) VALUES (%(n)s::int %% 1000), (NULL)",
            "UPDATE price SET amount = 1 WHERE id = 101 + %(n)s::int %% 100",
        ),
        rows="SELECT id, abs(amount) FROM price WHERE id <= 200 ORDER BY id",
    ),
    Case(
        name="select_long",
        recipe="add-check",
        arguments={"table": "100%", "constraint": "long", "sql": 'length("select") > 1'},
        setup=SETUP,
        old=("""INSERT INTO "100%%" ("select") VALUES ('old')""",),
        new=("""INSERT INTO "100%%" ("select") VALUES ('new')""",),
    ),
]
