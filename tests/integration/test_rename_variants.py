"""``rename-column`` ends where PostgreSQL's own RENAME COLUMN ends: same column, indexes, constraints and grants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.fix_project import CHANGE

if TYPE_CHECKING:
    from expandcontract.pg.server import LocalServer
    from tests.fix_project import Project

TABLES = """
CREATE SCHEMA "Sales Dept";
CREATE TABLE team (id int PRIMARY KEY);
INSERT INTO team SELECT n FROM generate_series(1, 50) AS n;
CREATE TABLE "Sales Dept"."Order List" (
    id bigserial PRIMARY KEY,
    "Customer's ""Name"" %" varchar(80) COLLATE "C" DEFAULT 'no: one %s' NOT NULL,
    region text,
    CONSTRAINT "named %" CHECK (length("Customer's ""Name"" %") > 1 AND "Customer's ""Name"" %" <> ':x'),
    CONSTRAINT "once a region" UNIQUE (region, "Customer's ""Name"" %")
);
CREATE INDEX "Lower: name" ON "Sales Dept"."Order List" (lower("Customer's ""Name"" %") text_pattern_ops)
    WHERE "Customer's ""Name"" %" IS NOT NULL;
COMMENT ON COLUMN "Sales Dept"."Order List"."Customer's ""Name"" %" IS 'what they''re called: "so" %';
GRANT SELECT ON "Sales Dept"."Order List" TO app_blue;
GRANT UPDATE ("Customer's ""Name"" %") ON "Sales Dept"."Order List" TO app_blue, app_green;
GRANT SELECT ("Customer's ""Name"" %") ON "Sales Dept"."Order List" TO PUBLIC;
INSERT INTO "Sales Dept"."Order List" ("Customer's ""Name"" %", region)
    SELECT 'customer ' || n, 'r' || n % 7 FROM generate_series(1, 500) AS n;
CREATE TABLE member (
    id bigserial PRIMARY KEY,
    team int DEFAULT 7 REFERENCES team ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    since date NOT NULL DEFAULT now()
);
CREATE INDEX member_team ON member (team DESC NULLS LAST) INCLUDE (since);
INSERT INTO member (team) SELECT CASE WHEN n % 5 = 0 THEN NULL ELSE n % 50 + 1 END FROM generate_series(1, 500) AS n;
CREATE TABLE price (
    id bigserial PRIMARY KEY,
    amount numeric(12,3) UNIQUE CHECK (amount >= 0),
    tags text[] DEFAULT '{}',
    "order" text DEFAULT ' :x %(y)s',
    at timestamptz DEFAULT now(),
    UNIQUE (id, "order") INCLUDE (at) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO price (amount) SELECT n / 8.0 FROM generate_series(1, 500) AS n;
"""
RENAMES = (
    ("customer", "Sales Dept.Order List", '"Sales Dept"."Order List"', 'Customer\'s "Name" %', 'Full :name "x" %'),
    ("squad", "member", "member", "team", "squad"),
    ("cost", "price", "price", "amount", "cost"),
    ("labels", "price", "price", "tags", "labels"),
    ("sorting", "price", "price", "order", "user"),
)
REVISION = '''"""the tables"""
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.get_bind().connection.cursor().execute({statements!r})


def downgrade() -> None:
    raise NotImplementedError  # the first revision is never taken back
'''
SHAPE = """
SELECT 'column', a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
       coalesce(pg_get_expr(d.adbin, d.adrelid), ''), coalesce(col_description(a.attrelid, a.attnum), ''),
       a.attcollation::regcollation::text, coalesce((SELECT string_agg(item::text, ',' ORDER BY item::text)
       FROM unnest(a.attacl) AS item), '')
FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'index', split_part(pg_get_indexdef(indexrelid), ' USING ', 2), indisunique::text, indisvalid::text,
       '', '', '', ''
FROM pg_index WHERE indrelid = %(table)s::regclass
UNION ALL
SELECT 'constraint', pg_get_constraintdef(oid), convalidated::text, condeferrable::text, '', '', '', ''
FROM pg_constraint WHERE conrelid = %(table)s::regclass AND contype <> 'n'
ORDER BY 1, 2
"""


def _shape(dsn: str, table: str) -> list[tuple[str, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(SHAPE, {"table": table}).fetchall()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@pytest.fixture
def renamed_by_postgres(server: LocalServer, database: str) -> str:
    """The address of a database where PostgreSQL renamed the columns itself."""
    name = f"renamed_{database.rsplit('/', 1)[1]}"
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(server.dsn(name), autocommit=True) as connection:
        connection.execute(TABLES)
        for _, _, table, old, new in RENAMES:
            connection.execute(f"ALTER TABLE {table} RENAME COLUMN {_quoted(old)} TO {_quoted(new)}")
    return server.dsn(name)


def test_ends_as_rename_column_does(bare: Project, renamed_by_postgres: str) -> None:
    """Renames taken through all phases together end as RENAME COLUMN, rows and all."""
    versions = bare.directory / "migrations" / "versions"
    (versions / "0002_tables.py").write_text(REVISION.format(statements=TABLES), encoding="utf-8")
    bare.run("alembic", "upgrade", "head")
    names = [change for change, *_ in RENAMES]
    before = {name: _rows(bare.database, place, old) for name, _, place, old, _ in RENAMES}
    for change, table, _, old, new in RENAMES:
        bare.ec("new", "rename-column", table, old, new, "--name", change)
    bare.ec("advance", *reversed(names))
    bare.ec("advance", *names, "--release", "v2")
    bare.ec("advance", *names)
    bare.ec("advance", *names, "--release", "v3")
    bare.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    bare.ec("deploy", "green", "v3")
    bare.ec("advance", *reversed(names))
    for name, _, place, _, new in RENAMES:
        assert _shape(renamed_by_postgres, place) == _shape(bare.database, place)
        assert before[name] == _rows(bare.database, place, new)
    assert [("contracted",)] * len(names) == [(bare.phase(name),) for name in names]


def test_columns_that_share_a_constraint_change_one_at_a_time(project: Project) -> None:
    """While one pair is open, a pair of a column beside it is refused: its seal would name a column that goes."""
    project.sql("CREATE INDEX name_and_visits ON users (lower(full_name), visits)")
    said = project.ec("new", "rename-column", "users", "visits", "calls", expect=2)
    assert f"visits and full_name of users share an index or constraint, and {CHANGE} maps the latter" in said
    assert 3 == len(list((project.directory / "migrations" / "versions").glob("*.py")))
    project.ec("abandon", CHANGE)
    project.ec("new", "rename-column", "users", "visits", "calls")


def _rows(dsn: str, table: str, column: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(f"SELECT id, {_quoted(column)} FROM {table} ORDER BY id").fetchall()
