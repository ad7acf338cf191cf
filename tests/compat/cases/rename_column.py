"""Renames."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE users (id bigserial PRIMARY KEY, full_name text NOT NULL, nick text);
CREATE INDEX ix_users_full_name ON users (full_name);
INSERT INTO users (full_name, nick) SELECT 'User ' || n, 'n' || n FROM generate_series(1, 200) AS n;
"""
MODELS = """
from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text

metadata = MetaData()
users = Table(
    "users", metadata, Column("id", BigInteger, primary_key=True), Column("nick", Text),
    Column("display_name", Text, nullable=False), Index("ix_users_display_name", "display_name"),
)
"""
REFERRED = """
CREATE SCHEMA geo;
CREATE TABLE geo.country (
    id serial PRIMARY KEY, code text NOT NULL UNIQUE, continent text REFERENCES geo.country (code) ON DELETE SET NULL
);
CREATE TABLE city (id serial PRIMARY KEY, country text, CONSTRAINT city_country_code FOREIGN KEY (country)
    REFERENCES geo.country (code) ON UPDATE CASCADE ON DELETE CASCADE);
INSERT INTO geo.country (code) SELECT 'c' || n FROM generate_series(1, 50) AS n;
INSERT INTO city (country) SELECT 'c' || n FROM generate_series(1, 50) AS n;
"""
CASES = [
    Case(
        name="users_display_name",
        recipe="rename-column",
        arguments={"table": "users", "old": "full_name", "new": "display_name"},
        setup=SETUP,
        old=(
            "INSERT INTO users (full_name) VALUES ('old ' || %(n)s::text)",
            "UPDATE users SET full_name = 'o' || %(n)s::text WHERE id = 1 + %(n)s::int %% 100",
            "SELECT full_name FROM users WHERE full_name LIKE 'User%%'",
        ),
        new=(
            "INSERT INTO users (display_name) VALUES ('new ' || %(n)s::text)",
            "UPDATE users SET display_name = 'n' || %(n)s::text WHERE id = 101 + %(n)s::int %% 100",
            "SELECT display_name FROM users",
        ),
        models=MODELS,
        rows="SELECT id, display_name FROM users WHERE id <= 200 ORDER BY id",
    ),
    Case(
        name="countries_code",
        recipe="rename-column",
        arguments={"table": "geo.country", "old": "code", "new": "iso"},
        setup=REFERRED,
        old=(
            "INSERT INTO geo.country (code, continent) VALUES ('o' || %(n)s::text, NULL)",
            "INSERT INTO city (country) VALUES ('o' || %(n)s::text)",
            "UPDATE geo.country SET code = 'm' || %(n)s::text WHERE code = 'o' || %(n)s::text",
            "DELETE FROM geo.country WHERE code = 'm' || (%(n)s - 2)::text",
        ),
        new=(
            "INSERT INTO geo.country (iso, continent) VALUES ('n' || %(n)s::text, 'c1')",
            "INSERT INTO city (country) VALUES ('n' || %(n)s::text)",
            "UPDATE geo.country SET iso = 'p' || %(n)s::text WHERE iso = 'n' || %(n)s::text",
            "DELETE FROM geo.country WHERE iso = 'p' || (%(n)s - 2)::text",
        ),
        rows="SELECT country FROM city ORDER BY id",
    ),
]
