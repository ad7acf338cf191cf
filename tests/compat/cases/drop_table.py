"""A table goes: one that refers to others, and one with partitions."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE team (id int PRIMARY KEY);
INSERT INTO team SELECT n FROM generate_series(1, 9) AS n;
CREATE TABLE badge (id serial PRIMARY KEY, team int REFERENCES team ON DELETE CASCADE, "of" int REFERENCES badge);
CREATE INDEX badge_team ON badge (team);
INSERT INTO badge (team) SELECT n % 9 + 1 FROM generate_series(1, 100) AS n;
CREATE SCHEMA "old: things";
CREATE TABLE "old: things"."log %" (id bigint, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE "old: things"."log rest" PARTITION OF "old: things"."log %" DEFAULT;
"""
MODELS = """
from sqlalchemy import Column, Integer, MetaData, Table

metadata = MetaData()
team = Table("team", metadata, Column("id", Integer, primary_key=True))
"""
CASES = [
    Case(
        name="drop_badge",
        recipe="drop-table",
        arguments={"table": "badge"},
        setup=SETUP,
        old=("INSERT INTO badge (team) VALUES (%(n)s::int %% 9 + 1)", "SELECT team FROM badge"),
        new=("INSERT INTO team VALUES (%(n)s)",),
        models=MODELS,
    ),
    Case(
        name="drop_log",
        recipe="drop-table",
        arguments={"table": "old: things.log %"},
        setup=SETUP,
        old=("""INSERT INTO "old: things"."log %%" VALUES (%(n)s, now())""",),
        new=("SELECT 1",),
    ),
]
