"""A column goes: one that must have a value, and one that others hang on."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE team (id int PRIMARY KEY);
INSERT INTO team SELECT n FROM generate_series(1, 9) AS n;
CREATE TABLE users (
    id bigserial PRIMARY KEY, name text NOT NULL, nick text NOT NULL CHECK (nick <> 'never'),
    team int REFERENCES team, CONSTRAINT once UNIQUE (id, team)
);
CREATE INDEX users_team ON users (team, name);
CREATE STATISTICS users_both ON name, team FROM users;
INSERT INTO users (name, nick, team) SELECT 'User ' || n, 'n' || n, n % 9 + 1 FROM generate_series(1, 200) AS n;
"""
MODELS = """
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()
team = Table("team", metadata, Column("id", Integer, primary_key=True))
users = Table(
    "users", metadata, Column("id", BigInteger, primary_key=True), Column("name", Text, nullable=False),
    Column("team", Integer, ForeignKey("team.id")), Index("users_team", "team", "name"),
    UniqueConstraint("id", "team", name="once"),
)
"""
CASES = [
    Case(
        name="drop_users_nick",
        recipe="drop-column",
        arguments={"table": "users", "column": "nick", "default": "'gone: %' || md5('x')"},
        setup=SETUP,
        old=(
            "INSERT INTO users (name, nick) VALUES ('old', 'o' || %(n)s::text)",
            "UPDATE users SET nick = 'o' || %(n)s::text WHERE id = 1 + %(n)s::int %% 100",
            "SELECT 1 / (count(*) - count(nick) + 1) FROM users",
        ),
        new=("INSERT INTO users (name) VALUES ('new')", "SELECT id, name FROM users"),
        models=MODELS,
        rows="SELECT id, name, team FROM users WHERE id <= 200 ORDER BY id",
    ),
    Case(
        name="drop_users_team",
        recipe="drop-column",
        arguments={"table": "users", "column": "team"},
        setup=SETUP,
        old=("INSERT INTO users (name, nick, team) VALUES ('old', 'o', 1)", "SELECT team FROM users"),
        new=("INSERT INTO users (name, nick) VALUES ('new', 'n')", "SELECT id, name FROM users"),
    ),
]
