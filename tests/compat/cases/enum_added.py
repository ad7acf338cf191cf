"""Values that are added to an enum."""

from __future__ import annotations

from tests.compat.drive import Case

ODD = (
    """INSERT INTO "Sales Dept"."user" (moods) VALUES"""
    """ (ARRAY['it''s :x "100 %%s"']::"Sales Dept"."The mood"[])"""
)
CASES = [
    Case(
        name="mood_add_calm",
        recipe="change-enum",
        arguments={"type": "mood", "add": "calm", "after": "sad"},
        setup="""
        CREATE TYPE mood AS ENUM ('sad', 'glad');
        CREATE TABLE users (id bigserial PRIMARY KEY, mood mood NOT NULL DEFAULT 'sad');
        INSERT INTO users (mood) SELECT 'glad' FROM generate_series(1, 50);
        """,
        old=("INSERT INTO users (mood) VALUES ('sad')", "SELECT mood::text FROM users ORDER BY mood"),
        new=("INSERT INTO users (mood) VALUES ('calm')", "SELECT 1 / count(*) FROM users WHERE mood > 'sad'"),
        irreversible="PostgreSQL cannot take a value out of an enum",
    ),
    Case(
        name="odd_value",
        recipe="change-enum",
        arguments={"type": "Sales Dept.The mood", "add": 'it\'s :x "100 %s"', "before": "it's"},
        setup="""
        CREATE SCHEMA "Sales Dept";
        CREATE TYPE "Sales Dept"."The mood" AS ENUM ('it''s', 'glad');
        CREATE TABLE "Sales Dept"."user" (id bigserial PRIMARY KEY, moods "Sales Dept"."The mood"[]);
        """,
        old=('INSERT INTO "Sales Dept"."user" (moods) VALUES (\'{glad}\')',),
        new=(ODD,),
        irreversible="PostgreSQL cannot take a value out of an enum",
    ),
]
