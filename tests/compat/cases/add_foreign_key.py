"""Foreign keys, from a plain table and from a partitioned one."""

from __future__ import annotations

from tests.compat.drive import Case

SETUP = """
CREATE TABLE team (id int PRIMARY KEY, "group" text, code text, UNIQUE (code, "group"));
INSERT INTO team SELECT n, 'g' || n, 'c' || n FROM generate_series(1, 50) AS n;
CREATE TABLE member (id bigserial PRIMARY KEY, team int);
CREATE INDEX member_team ON member (team);
INSERT INTO member (team) SELECT n % 50 + 1 FROM generate_series(1, 200) AS n;
CREATE TABLE seat (id bigint NOT NULL, "the:team" text, "the group" text) PARTITION BY HASH (id);
CREATE TABLE seat_0 PARTITION OF seat FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE seat_1 PARTITION OF seat FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO seat SELECT n, 'c' || n % 50 + 1, 'g' || n % 50 + 1 FROM generate_series(1, 200) AS n;
"""
MODELS = """
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, MetaData, Table, Text, UniqueConstraint

metadata = MetaData()
team = Table(
    "team", metadata, Column("id", Integer, primary_key=True), Column("group", Text), Column("code", Text),
    UniqueConstraint("code", "group"),
)
member = Table(
    "member", metadata, Column("id", BigInteger, primary_key=True),
    Column("team", Integer, ForeignKey("team.id", ondelete="CASCADE")), Index("member_team", "team"),
)
"""
CASES = [
    Case(
        name="member_team",
        recipe="add-foreign-key",
        arguments={"table": "member", "columns": ["team"], "target": "team", "on_delete": "cascade"},
        setup=SETUP.split("CREATE TABLE seat", 1)[0],
        old=("INSERT INTO member (team) VALUES (%(n)s::int %% 50 + 1)",),
        new=("INSERT INTO member (team) VALUES (%(n)s::int %% 50 + 1), (NULL)",),
        models=MODELS,
    ),
    Case(
        name="seat_team",
        recipe="add-foreign-key",
        arguments={
            "table": "seat",
            "columns": ["the:team", "the group"],
            "target": "team",
            "target_columns": ["code", "group"],
            "constraint": 'of "one" %team',
        },
        setup=SETUP,
        old=("INSERT INTO seat VALUES (%(n)s, 'c1', 'g1')",),
        new=("INSERT INTO seat VALUES (%(n)s, 'c2', 'g2')",),
    ),
]
