"""Wider primary keys."""

from __future__ import annotations

from tests.compat.drive import Case

SERIAL = """
CREATE TABLE users (id serial PRIMARY KEY, email text UNIQUE, boss int REFERENCES users ON DELETE SET NULL);
CREATE TABLE orders (
    id bigserial PRIMARY KEY,
    user_id int NOT NULL REFERENCES users ON DELETE CASCADE ON UPDATE CASCADE,
    total numeric
);
CREATE INDEX ix_orders_user_id ON orders (user_id) INCLUDE (total);
CREATE TABLE tags (user_id int REFERENCES users, tag text, PRIMARY KEY (user_id, tag));
CREATE TABLE audits (id bigserial PRIMARY KEY, user_id bigint REFERENCES users);
INSERT INTO users (email) SELECT 'u' || n FROM generate_series(1, 200) AS n;
UPDATE users SET boss = 1 + id % 7;
INSERT INTO orders (user_id, total) SELECT 1 + n % 200, n FROM generate_series(1, 500) AS n;
INSERT INTO tags SELECT n, 'tag' FROM generate_series(1, 200) AS n;
GRANT ALL ON SEQUENCE users_id_seq TO app_blue;
"""
STATEMENTS = (
    "INSERT INTO users (email, boss) VALUES (%(n)s::text, 3)",
    "INSERT INTO orders (user_id, total) SELECT id, 5 FROM users WHERE email = %(n)s::text",
    "INSERT INTO tags (user_id, tag) SELECT id, 'new' FROM users WHERE email = %(n)s::text",
    "INSERT INTO audits (user_id) SELECT max(id) FROM users",
    "UPDATE orders SET user_id = 2 + %(n)s::int %% 150 WHERE id = 1 + %(n)s::int %% 400",
    "DELETE FROM tags WHERE user_id = 20 + %(n)s::int %% 30 AND tag = 'tag'",
    "SELECT u.id, o.total FROM users AS u JOIN orders AS o ON o.user_id = u.id WHERE u.id < 10",
)
MODELS = """
from sqlalchemy import BigInteger, Column, ForeignKey, Index, MetaData, Numeric, Table, Text

metadata = MetaData()
users = Table(
    "users", metadata, Column("id", BigInteger, primary_key=True), Column("email", Text, unique=True),
    Column("boss", BigInteger, ForeignKey("users.id", ondelete="SET NULL")),
)
orders = Table(
    "orders", metadata, Column("id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id", ondelete="CASCADE", onupdate="CASCADE"), nullable=False),
    Column("total", Numeric), Index("ix_orders_user_id", "user_id", postgresql_include=["total"]),
)
tags = Table(
    "tags", metadata, Column("user_id", BigInteger, ForeignKey("users.id"), primary_key=True),
    Column("tag", Text, primary_key=True),
)
audits = Table(
    "audits", metadata, Column("id", BigInteger, primary_key=True),
    Column("user_id", BigInteger, ForeignKey("users.id")),
)
"""
IDENTITY = """
CREATE SCHEMA "Sales %";
CREATE TABLE "Sales %"."Key's" (
    "user" smallint GENERATED ALWAYS AS IDENTITY (START WITH 5 INCREMENT BY 2) PRIMARY KEY, note text);
CREATE TABLE "Sales %"."line:s" (n bigserial PRIMARY KEY, "of" smallint REFERENCES "Sales %"."Key's");
INSERT INTO "Sales %"."Key's" (note) SELECT 'n' || n FROM generate_series(1, 100) AS n;
INSERT INTO "Sales %"."line:s" ("of") SELECT "user" FROM "Sales %"."Key's";
"""
IDENTITY_STATEMENTS = (
    """INSERT INTO "Sales %%"."Key's" (note) VALUES (%(n)s::text)""",
    """INSERT INTO "Sales %%"."line:s" ("of") SELECT max("user") FROM "Sales %%"."Key's" """,
    """UPDATE "Sales %%"."Key's" SET note = %(n)s::text WHERE "user" = 5 + 2 * (%(n)s::int %% 50)""",
)
CASES = [
    Case(
        name="users_id_bigint",
        recipe="widen-primary-key",
        arguments={"table": "users"},
        setup=SERIAL,
        old=STATEMENTS,
        new=STATEMENTS,
        models=MODELS,
        rows="SELECT id, email, boss FROM users WHERE id <= 200 ORDER BY id",
    ),
    Case(
        name="keys_identity_integer",
        recipe="widen-primary-key",
        arguments={"table": '"Sales %"."Key\'s"', "type_": "integer"},
        setup=IDENTITY,
        old=IDENTITY_STATEMENTS,
        new=IDENTITY_STATEMENTS,
    ),
]
