"""Constraints that go: checks and foreign keys at the expand, keys and foreign keys that act at the contract."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE team (id int PRIMARY KEY);
INSERT INTO team SELECT n FROM generate_series(0, 99) AS n;
CREATE TABLE member (
    id bigserial PRIMARY KEY, nick text CONSTRAINT "Nick %s :x" CHECK (nick <> ':no %'),
    team int CONSTRAINT of_team REFERENCES team DEFERRABLE, boss int REFERENCES team ON DELETE SET NULL,
    CONSTRAINT once UNIQUE (nick)
);
COMMENT ON CONSTRAINT "Nick %s :x" ON member IS 'it''s :odd %';
INSERT INTO member (nick, team, boss) SELECT 'n' || n, n % 100, n % 100 FROM generate_series(1, 300) AS n;
ALTER TABLE member ADD CONSTRAINT later CHECK (nick IS NOT NULL) NOT VALID;
"""
INSERT = "INSERT INTO member (nick, team) VALUES ('o' || %(n)s::text, %(n)s::int %% 100)"
CASES = [
    Case(
        name="drop_check",
        recipe="drop-constraint",
        arguments={"table": "member", "constraint": "Nick %s :x"},
        setup=SETUP,
        old=(INSERT,),
        new=("SELECT nick FROM member",),
    ),
    Case(
        name="drop_check_broken",
        recipe="drop-constraint",
        arguments={"table": "member", "constraint": "Nick %s :x"},
        setup=SETUP,
        old=("SELECT nick FROM member",),
        new=("INSERT INTO member (nick) VALUES (':no %%') ON CONFLICT DO NOTHING",),
        irreversible="1 rows of member break constraint Nick %s :x",
    ),
    Case(
        name="drop_not_valid",
        recipe="drop-constraint",
        arguments={"table": "member", "constraint": "later"},
        setup=SETUP,
        old=(INSERT,),
        new=("INSERT INTO member (team) VALUES (7)",),
    ),
    Case(
        name="drop_of_team",
        recipe="drop-constraint",
        arguments={"table": "member", "constraint": "of_team"},
        setup=SETUP,
        old=(INSERT, "SELECT count(*) FROM team"),
        new=("INSERT INTO member (nick) VALUES ('new' || %(n)s::text)",),
    ),
    Case(
        name="drop_of_team_broken",
        recipe="drop-constraint",
        arguments={"table": "member", "constraint": "of_team"},
        setup=SETUP,
        old=(INSERT,),
        new=("INSERT INTO member (nick, team) VALUES ('new' || %(n)s::text, 100 + %(n)s)",),
        irreversible="3 rows of member break foreign key of_team",
    ),
    Case(
        name="drop_acting",
        recipe="drop-constraint",
        arguments={"table": "member", "constraint": "member_boss_fkey"},
        setup=SETUP,
        old=(
            "INSERT INTO team VALUES (%(n)s)",
            "INSERT INTO member (nick, boss) VALUES ('o' || %(n)s::text, %(n)s)",
            "DELETE FROM team WHERE id = %(n)s",
            "SELECT 1 / (1 - count(*)) FROM member WHERE boss = %(n)s",
        ),
        new=("UPDATE member SET boss = NULL WHERE id = %(n)s::int %% 300",),
    ),
    Case(
        name="drop_once",
        recipe="drop-constraint",
        arguments={"table": "member", "constraint": "once"},
        setup=SETUP,
        old=("INSERT INTO member (nick) VALUES ('n1') ON CONFLICT (nick) DO UPDATE SET team = 1",),
        new=("INSERT INTO member (nick) VALUES ('new' || %(n)s::text)",),
    ),
    Case(
        name="drop_primary",
        recipe="drop-constraint",
        arguments={"table": "Sales.Ord%er", "constraint": "Ord%er_pkey"},
        setup="""
        CREATE SCHEMA "Sales";
        CREATE TABLE "Sales"."Ord%er" (id int PRIMARY KEY) PARTITION BY HASH (id);
        CREATE TABLE "Sales"."Ord%er_0" PARTITION OF "Sales"."Ord%er" FOR VALUES WITH (MODULUS 1, REMAINDER 0);
        """,
        old=('INSERT INTO "Sales"."Ord%%er" VALUES (%(n)s) ON CONFLICT (id) DO NOTHING',),
        new=('INSERT INTO "Sales"."Ord%%er" VALUES (%(n)s)',),
    ),
]
