"""One column becomes several, and several one."""

from __future__ import annotations

from tests.compat.drive import Case

PEOPLE = """
CREATE TABLE person (id bigserial PRIMARY KEY, full_name text NOT NULL, zip varchar(5), city text);
CREATE INDEX person_full_name ON person (full_name);
GRANT SELECT (zip, city), UPDATE (zip), SELECT (full_name) ON person TO app_blue;
INSERT INTO person (full_name, zip, city)
    SELECT 'First' || n || ' Last' || n, lpad(n::text, 5, '0'), 'City ' || n FROM generate_series(1, 200) AS n;
"""
CASES = [
    Case(
        name="person_names",
        recipe="split-column",
        arguments={
            "table": "person",
            "column": "full_name",
            "into": [
                "first_name not null=split_part(full_name, ' ', 1)",
                "\"last = name\" varchar(40) NOT NULL=substr(full_name, strpos(full_name, ' ') + 1)",
            ],
            "reverse": "first_name || ' ' || \"last = name\"",
        },
        setup=PEOPLE,
        old=(
            "INSERT INTO person (full_name) VALUES ('Old O' || %(n)s::text)",
            "UPDATE person SET full_name = 'Upd O' || %(n)s::text WHERE id = 1 + %(n)s::int %% 100",
        ),
        new=(
            "INSERT INTO person (first_name, \"last = name\") VALUES ('New', 'von N' || %(n)s::text)",
            "UPDATE person SET first_name = 'X' || %(n)s::text WHERE id = 101 + %(n)s::int %% 100",
            "UPDATE person SET \"last = name\" = 'Y Z' WHERE id = 101 + %(n)s::int %% 100",
        ),
        models="""
from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text

metadata = MetaData()
Table(
    "person", metadata, Column("id", BigInteger, primary_key=True), Column("zip", String(5)), Column("city", Text),
    Column("first_name", Text, nullable=False), Column("last = name", String(40), nullable=False),
)
""",
        rows='SELECT id, first_name, "last = name" FROM person ORDER BY id',
    ),
    Case(
        name="person_place",
        recipe="merge-columns",
        arguments={
            "table": "person",
            "columns": ["zip", "city"],
            "into": "place",
            "using": "zip || ' ' || city",
            "reverse": ["zip=left(place, 5)", "city=substr(place, 7)"],
        },
        setup=PEOPLE,
        old=(
            "INSERT INTO person (full_name, zip, city) VALUES ('Old O', '12345', 'Old: ' || %(n)s::text)",
            "UPDATE person SET zip = '99999' WHERE id = 1 + %(n)s::int %% 100",
            "UPDATE person SET city = NULL, zip = NULL WHERE id = 1 + %(n)s::int %% 100",
        ),
        new=(
            "INSERT INTO person (full_name, place) VALUES ('New N', '54321 New ' || %(n)s::text)",
            "UPDATE person SET place = '11111 ' || %(n)s::text WHERE id = 101 + %(n)s::int %% 100",
        ),
        rows="SELECT id, place FROM person ORDER BY id",
    ),
]
