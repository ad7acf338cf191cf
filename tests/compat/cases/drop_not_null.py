"""NOT NULL that goes: with a fill the way back is open, without one it is closed once NULL was written."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE users (id bigserial PRIMARY KEY, nick text NOT NULL);
INSERT INTO users (nick) SELECT 'n' || n FROM generate_series(1, 300) AS n;
"""
AWAY = """
CREATE SCHEMA "Sales Dept";
CREATE TABLE "Sales Dept"."Ord%er" (id int, "Nïck :x" text NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE "Sales Dept".low PARTITION OF "Sales Dept"."Ord%er" FOR VALUES FROM (0) TO (1000);
CREATE TABLE "Sales Dept".rest PARTITION OF "Sales Dept"."Ord%er" DEFAULT;
INSERT INTO "Sales Dept"."Ord%er" SELECT n, 'n' || n FROM generate_series(1, 50) AS n;
"""
OLD = ("INSERT INTO users (nick) VALUES ('o' || %(n)s::text)", "SELECT coalesce(nick, '') FROM users WHERE id < 10")
NEW = ("INSERT INTO users DEFAULT VALUES", "UPDATE users SET nick = NULL WHERE id = 1 + %(n)s::int %% 100")
CASES = [
    Case(
        name="users_nick_nullable",
        recipe="drop-not-null",
        arguments={"table": "users", "column": "nick", "fill": "'user ' || id"},
        setup=SETUP,
        old=OLD,
        new=NEW,
        models="""
from sqlalchemy import BigInteger, Column, MetaData, Table, Text

metadata = MetaData()
Table("users", metadata, Column("id", BigInteger, primary_key=True), Column("nick", Text))
""",
    ),
    Case(
        name="nick_for_good",
        recipe="drop-not-null",
        arguments={"table": "users", "column": "nick"},
        setup=SETUP,
        old=OLD,
        new=NEW,
        irreversible="rows of users break NOT NULL of users.nick",
    ),
    Case(
        name="away_nullable",
        recipe="drop-not-null",
        arguments={"table": "Sales Dept.Ord%er", "column": "Nïck :x", "fill": "'100 % :y'"},
        setup=AWAY,
        old=('INSERT INTO "Sales Dept"."Ord%%er" VALUES (%(n)s, \'x\')',),
        new=('INSERT INTO "Sales Dept"."Ord%%er" VALUES (%(n)s, NULL)',),
    ),
]
