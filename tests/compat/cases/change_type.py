"""Changes of a column's type: by a second column, and in place."""

from __future__ import annotations

from tests.compat.drive import Case

VISITS = """
CREATE TABLE page (id int PRIMARY KEY);
INSERT INTO page SELECT n FROM generate_series(1, 100) AS n;
CREATE TABLE visit (
    id bigserial PRIMARY KEY,
    number int NOT NULL DEFAULT 0 CONSTRAINT number_positive CHECK (number >= 0),
    page int DEFAULT 1 REFERENCES page ON DELETE CASCADE,
    note varchar(20)
);
CREATE INDEX visit_number ON visit (number DESC, note) WHERE number > 10;
COMMENT ON COLUMN visit.number IS 'how often: 100%';
GRANT SELECT (number) ON visit TO app_blue;
INSERT INTO visit (number) SELECT n FROM generate_series(1, 200) AS n;
"""
VISIT_MODELS = """
from sqlalchemy import BigInteger, CheckConstraint, Column, ForeignKey, Index, Integer, MetaData, String, Table, desc
from sqlalchemy import text

metadata = MetaData()
Table("page", metadata, Column("id", Integer, primary_key=True))
visit = Table(
    "visit", metadata, Column("id", BigInteger, primary_key=True),
    Column("page", Integer, ForeignKey("page.id", ondelete="CASCADE"), server_default="1"), Column("note", String(20)),
    Column("number_bigint", BigInteger, nullable=False, server_default="0", comment="how often: 100%"),
    CheckConstraint("number_bigint >= 0", "number_bigint_positive"),
)
Index("visit_number_bigint", desc(visit.c.number_bigint), visit.c.note, postgresql_where=text("number_bigint > 10"))
"""
PRICES = """
CREATE SCHEMA "Shop";
CREATE TABLE "Shop"."Price: List" (id int NOT NULL, "50% ""of"" it" integer, day date NOT NULL)
    PARTITION BY RANGE (day);
CREATE TABLE "Shop".early PARTITION OF "Shop"."Price: List" FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE "Shop".late PARTITION OF "Shop"."Price: List" FOR VALUES FROM ('2021-01-01') TO ('2030-01-01');
INSERT INTO "Shop"."Price: List" SELECT n, n * 100, date '2020-06-01' + n * 5 FROM generate_series(1, 200) AS n;
"""
LABELS = """
CREATE TABLE label (id bigserial PRIMARY KEY, word varchar(20) NOT NULL UNIQUE DEFAULT 'none', code text);
CREATE INDEX label_code ON label (code);
INSERT INTO label (word, code) SELECT 'w' || n, n FROM generate_series(1, 100) AS n;
"""
WORDS = (
    "INSERT INTO label (word, code) VALUES ('w' || %(n)s::text, 'c')",
    "UPDATE label SET word = 'u' || %(n)s::text WHERE id = 1 + %(n)s::int %% 50",
    "SELECT word, code FROM label ORDER BY word",
)
CASES = [
    Case(
        name="visit_number",
        recipe="change-type",
        arguments={"table": "visit", "column": "number", "type": "bigint"},
        setup=VISITS,
        old=(
            "INSERT INTO visit (page) VALUES (2)",
            "INSERT INTO visit (number, page) VALUES (%(n)s, 3)",
            "UPDATE visit SET number = number + 1 WHERE id = 1 + %(n)s::int %% 100",
        ),
        new=(
            "INSERT INTO visit (page) VALUES (2)",
            "INSERT INTO visit (number_bigint, page) VALUES (%(n)s, 3)",
            "UPDATE visit SET number_bigint = number_bigint + 1 WHERE id = 101 + %(n)s::int %% 100",
        ),
        models=VISIT_MODELS,
        rows="SELECT id, number_bigint FROM visit WHERE id <= 200 ORDER BY id",
    ),
    Case(
        name="visit_page",
        recipe="change-type",
        arguments={"table": "visit", "column": "page", "type": "int8", "to": "site"},
        setup=VISITS,
        old=(
            "INSERT INTO visit (page) VALUES (1 + %(n)s::int %% 100)",
            "UPDATE visit SET page = NULL WHERE id = 1 + %(n)s::int %% 100",
        ),
        new=(
            "INSERT INTO visit (site) VALUES (1 + %(n)s::int %% 100)",
            "UPDATE visit SET site = NULL WHERE id = 101 + %(n)s::int %% 100",
        ),
        rows="SELECT id, site FROM visit ORDER BY id",
    ),
    Case(
        name="price_in_units",
        recipe="change-type",
        arguments={
            "table": "Shop.Price: List",
            "column": '50% "of" it',
            "type": "numeric(12,2)",
            "using": '"50% ""of"" it" / 100.0',
            "reverse": '("unit\'s" * 100)::integer',
            "lossy": True,
            "to": "unit's",
        },
        setup=PRICES,
        old=(
            'INSERT INTO "Shop"."Price: List" VALUES (%(n)s, 250, \'2020-07-01\')',
            'UPDATE "Shop"."Price: List" SET "50%% ""of"" it" = 500 WHERE id = 1 + %(n)s::int %% 100',
        ),
        new=(
            'INSERT INTO "Shop"."Price: List" (id, "unit\'s", day) VALUES (%(n)s, 2.505, \'2021-07-01\')',
            'UPDATE "Shop"."Price: List" SET "unit\'s" = 1.25 WHERE id = 101 + %(n)s::int %% 100',
        ),
        rows='SELECT id, "unit\'s" FROM "Shop"."Price: List" ORDER BY id',
    ),
    Case(
        name="label_word_wider",
        recipe="change-type",
        arguments={"table": "label", "column": "word", "type": "varchar(50)"},
        setup=LABELS,
        old=WORDS,
        new=(*WORDS, "UPDATE label SET word = repeat('x', 30) || %(n)s::text WHERE id = 60"),
        irreversible="would have to rewrite the table",
        models="""
from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text

metadata = MetaData()
Table(
    "label", metadata, Column("id", BigInteger, primary_key=True),
    Column("word", String(50), nullable=False, unique=True, server_default="none"), Column("code", Text),
    Index("label_code", "code"),
)
""",
    ),
    Case(
        name="label_code_varchar",
        recipe="change-type",
        arguments={"table": "label", "column": "code", "type": "varchar"},
        setup=LABELS,
        old=WORDS,
        new=WORDS,
    ),
]
