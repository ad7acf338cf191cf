"""Defaults: set at the expand, dropped or changed at the contract."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE orders (id bigserial PRIMARY KEY, state varchar(10) DEFAULT 'new' NOT NULL, "Note %" text);
INSERT INTO orders (state) SELECT 'new' FROM generate_series(1, 100);
"""
PARTS = """
CREATE TABLE orders (id bigint, state text DEFAULT 'new' NOT NULL, "Note %" text) PARTITION BY HASH (id);
CREATE TABLE orders_0 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE orders_1 PARTITION OF orders FOR VALUES WITH (MODULUS 2, REMAINDER 1);
"""
CASES = [
    Case(
        name="orders_state_default",
        recipe="change-default",
        arguments={"table": "orders", "column": "state", "default": "'queued'"},
        setup=SETUP,
        old=("INSERT INTO orders DEFAULT VALUES", "UPDATE orders SET state = 'done' WHERE id = 1 + %(n)s::int %% 100"),
        new=("INSERT INTO orders DEFAULT VALUES", "SELECT 1 / count(*) FROM orders WHERE state = 'queued'"),
    ),
    Case(
        name="notes_default",
        recipe="change-default",
        arguments={"table": "orders", "column": "Note %", "default": "'100 %s :x, ' || now()"},
        setup=PARTS,
        old=("INSERT INTO orders (id) VALUES (%(n)s)",),
        new=("INSERT INTO orders (id) VALUES (%(n)s)", 'SELECT 1 / count("Note %%") FROM orders'),
    ),
    Case(
        name="state_dropped",
        recipe="change-default",
        arguments={"table": "orders", "column": "state", "drop": True},
        setup=SETUP,
        old=("INSERT INTO orders DEFAULT VALUES",),
        new=("INSERT INTO orders (state) VALUES ('mine')",),
    ),
    Case(
        name="state_late",
        recipe="change-default",
        arguments={"table": "orders", "column": "state", "default": "'queued'", "at_contract": True},
        setup=PARTS,
        old=(
            "INSERT INTO orders (id) VALUES (%(n)s)",
            "SELECT 1 / (1 - count(*)) FROM orders WHERE id = %(n)s AND state = 'queued'",
        ),
        new=("INSERT INTO orders (id, state) VALUES (%(n)s, 'mine')",),
    ),
]
