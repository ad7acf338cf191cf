"""Free statements in named phases."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE TABLE users (id bigserial PRIMARY KEY, nick text, full_name text DEFAULT ':x 100 %');
INSERT INTO users (nick) SELECT 'n' || n FROM generate_series(1, 50) AS n;
"""
GREET = "CREATE FUNCTION greet(who text) RETURNS text LANGUAGE sql AS $$ SELECT 'hello ' || who $$"
SETUP += GREET
FUNCTION = """
-- greets: politely
CREATE FUNCTION greet_all(at timestamptz DEFAULT now()) RETURNS text LANGUAGE plpgsql AS $body$
BEGIN
    -- it's "100 %" :polite
    RETURN (SELECT string_agg(':x' || nick, '; ') FROM users);
END $body$;
COMMENT ON FUNCTION greet_all IS 'it''s ''odd'' :x %';
"""
CASES = [
    Case(
        name="greet_everybody",
        recipe="sql",
        arguments={"expand": FUNCTION, "downgrade": "DROP FUNCTION greet_all;", "touches": ("users",)},
        setup=SETUP,
        old=("SELECT greet('you')", "INSERT INTO users (nick) VALUES ('x')"),
        new=("SELECT greet_all()",),
    ),
    Case(
        name="sealed_by_hand",
        recipe="sql",
        arguments={
            "expand": "ALTER TABLE users ADD COLUMN age int;"
            " ALTER TYPE mood ADD VALUE IF NOT EXISTS 'so-so' AFTER 'sad'",
            "seal": 'CREATE INDEX by_age ON users (age DESC) WHERE age > 1; CREATE INDEX "By %" ON users (id, age)',
        },
        setup=SETUP,
        old=("INSERT INTO users (nick) VALUES ('x')",),
        new=("INSERT INTO users (nick, age) VALUES ('x', 4)", "SELECT 'so-so'::mood"),
        irreversible="no --downgrade was given",
    ),
    Case(
        name="greet_nobody",
        recipe="sql",
        arguments={
            "contract": "DROP FUNCTION greet(text)",
            "undo_contract": GREET,
        },
        setup=SETUP,
        old=("SELECT greet('you')",),
        new=("SELECT 'hello you'",),
    ),
]
