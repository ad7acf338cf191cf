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
]
