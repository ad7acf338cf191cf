"""Values of an enum type get other names, or go."""

from __future__ import annotations

from tests.compat.drive import Case

ORDERS = """
CREATE TYPE status AS ENUM ('new', 'payd', 'sent', 'it''s "done": 100%');
COMMENT ON TYPE status IS 'of orders';
CREATE TABLE orders (
    id bigserial PRIMARY KEY, status status NOT NULL DEFAULT 'new', before status,
    CONSTRAINT moved CHECK (status <> before), CONSTRAINT not_first CHECK (before <> 'sent')
);
CREATE INDEX orders_open ON orders (status, id) WHERE status IN ('new', 'payd');
CREATE TABLE "order.log" (id bigserial PRIMARY KEY, "to" status);
INSERT INTO orders (status, before) SELECT 'payd', 'new' FROM generate_series(1, 200) AS n;
INSERT INTO "order.log" ("to") SELECT 'payd' FROM generate_series(1, 200) AS n;
"""
SIZES = """
CREATE SCHEMA shop;
CREATE TYPE shop.size_2 AS ENUM ('xs', 's', 'm', 'l');
CREATE TABLE shop.shirt (id bigserial PRIMARY KEY, size shop.size_2);
GRANT USAGE ON TYPE shop.size_2 TO app_blue;
INSERT INTO shop.shirt (size) SELECT CASE n % 4 WHEN 0 THEN 'xs' WHEN 1 THEN 's' WHEN 2 THEN 'm' END::shop.size_2
    FROM generate_series(1, 200) AS n;
"""
CASES = [
    Case(
        name="orders_paid",
        recipe="change-enum",
        arguments={"type": "status", "rename": ["payd=paid"], "to": ["orders.status=state", "before=previous"]},
        setup=ORDERS,
        old=(
            "INSERT INTO orders DEFAULT VALUES",
            "UPDATE orders SET status = 'payd', before = 'it''s \"done\": 100%%' WHERE id = 1 + %(n)s::int %% 100",
            'INSERT INTO "order.log" ("to") VALUES (\'payd\')',
        ),
        new=(
            "INSERT INTO orders DEFAULT VALUES",
            "UPDATE orders SET state = 'paid', previous = 'it''s \"done\": 100%%' WHERE id = 101 + %(n)s::int %% 100",
            "INSERT INTO \"order.log\" (to_2) VALUES ('paid')",
            "SELECT * FROM orders WHERE state IN ('new', 'paid')",
        ),
        rows="SELECT id, state, previous FROM orders ORDER BY id",
    ),
    Case(
        name="shirt_sizes",
        recipe="change-enum",
        arguments={"type": "shop.size_2", "remove": ["xs"], "instead": "s", "rename": ["m=medium"]},
        setup=SIZES,
        old=(
            "INSERT INTO shop.shirt (size) VALUES ('xs'), ('m'), (NULL)",
            "UPDATE shop.shirt SET size = 'xs' WHERE id = 1 + %(n)s::int %% 100",
        ),
        new=(
            "INSERT INTO shop.shirt (size_3) VALUES ('s'), ('medium'), (NULL)",
            "UPDATE shop.shirt SET size_3 = 'l' WHERE id = 101 + %(n)s::int %% 100",
        ),
        rows="SELECT id, size_3 FROM shop.shirt ORDER BY id",
    ),
]
