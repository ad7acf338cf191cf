"""Where a rule ends: what is let through beside what is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.core.revision import Half
from expandcontract.lint.judge import judge
from tests.fix_revisions import with_effects

if TYPE_CHECKING:
    from tests.fix_revisions import Written

ORDINARY: list[tuple[str, list[str]]] = [
    # a table of this revision is nobody's yet
    ('op.create_table("new", sa.Column("a", sa.Text())); op.alter_column("new", "a", nullable=False)', []),
    ('op.create_table("new", sa.Column("a", sa.Text())); op.create_index("i", "new", ["a"])', []),
    ('op.create_table("new", sa.Column("a", sa.Text())); op.execute("INSERT INTO new SELECT nick FROM users")', []),
    # drops
    ('op.drop_table("users")', ["EC201"]),
    ('op.execute("DROP VIEW v")', ["EC201"]),
    ('op.execute("DROP VIEW v; CREATE VIEW v AS SELECT 1")', []),
    ('op.execute("DROP TRIGGER t ON users")', []),
    ('op.execute("TRUNCATE users")', ["EC201"]),
    # renames
    ('op.rename_table("users", "people")', ["EC202"]),
    ('op.rename_table("users", "people"); op.execute("CREATE VIEW users AS SELECT * FROM people")', []),
    ("op.execute(\"ALTER TYPE mood RENAME VALUE 'a' TO 'b'\")", ["EC202"]),
    ("op.execute(\"ALTER TYPE mood ADD VALUE 'a'\")", []),
    # types
    ('op.alter_column("users", "a", type_=sa.Text(), existing_type=sa.String(9))', []),
    ('op.alter_column("users", "a", type_=sa.String(8), existing_type=sa.String(9))', ["EC203"]),
    ('op.alter_column("users", "a", type_=sa.String(8), existing_type=sa.Text())', ["EC203"]),
    ('op.alter_column("users", "a", type_=sa.Numeric(12, 2), existing_type=sa.Numeric(10, 2))', []),
    ('op.alter_column("users", "a", type_=sa.Numeric(12, 4), existing_type=sa.Numeric(10, 2))', ["EC203"]),
    ('op.alter_column("users", "a", type_=sa.Numeric(), existing_type=sa.Numeric(10, 2))', []),
    ('op.alter_column("users", "a", type_=sa.Text())', ["EC203"]),
    # demands
    ('op.alter_column("users", "a", nullable=False)', ["EC204"]),
    ('op.create_foreign_key("f", "users", "orgs", ["a"], ["id"], postgresql_not_valid=True)', ["EC204"]),
    ('op.create_unique_constraint("u", "users", ["a"])', ["EC204"]),
    ('op.create_index("u", "users", ["a"], unique=True)', ["EC204"]),
    ('op.execute("ALTER TABLE users ADD PRIMARY KEY USING INDEX ix")', []),
    ('op.execute("ALTER TABLE users ADD CHECK (a > 0) NOT ENFORCED")', []),
    ('op.execute("ALTER TABLE users ADD x int, ADD CHECK (x > 0) NOT VALID")', []),
    ('op.execute("ALTER TABLE users ADD x int, ADD UNIQUE (x, a)")', ["EC204"]),
    ('op.execute("ALTER TABLE users ADD x int UNIQUE")', ["EC222"]),
    # new columns
    ('op.execute("ALTER TABLE users ADD x int NOT NULL")', ["EC205"]),
    ('op.execute("ALTER TABLE users ADD x int NOT NULL DEFAULT 1")', []),
    ('op.execute("ALTER TABLE users ADD x int GENERATED ALWAYS AS (1) STORED NOT NULL")', []),
    # access
    ('op.execute("ALTER TABLE users ENABLE ROW LEVEL SECURITY")', ["EC207"]),
    ('op.execute("CREATE POLICY p ON users USING (true)")', ["EC207"]),
    # indexes
    ('op.execute("REINDEX TABLE users")', ["EC223"]),
    ('op.execute("CREATE INDEX i ON ONLY users (a)")', []),
    ('op.create_index("i", "users", ["a"], postgresql_concurrently=True)', ["EC231"]),
    ('op.drop_index("i", "users")', ["EC224"]),
    # timeouts
    ("op.execute(\"SET LOCAL statement_timeout = '0'\")", ["EC227"]),
    ("op.execute(\"SET lock_timeout = '0ms'\")", ["EC227"]),
    ('op.execute("RESET lock_timeout")', ["EC227"]),
    ("op.execute(\"SELECT set_config('lock_timeout', '0', true)\")", ["EC227"]),
    ("op.execute(\"SET LOCAL lock_timeout = '500ms'\")", []),
    ('op.execute("SET work_mem = 0")', []),
    # data
    ('op.execute("UPDATE users SET a = 1 WHERE id = 3")', ["EC230"]),
    ('op.execute("INSERT INTO users (a) VALUES (1)")', []),
    ("op.execute(\"INSERT INTO users (a) SELECT 'x' FROM old_users\")", ["EC230"]),
    ('op.execute("DELETE FROM users")', ["EC230"]),
    ('op.bulk_insert(sa.table("users", sa.column("a")), [{"a": 1}, {"a": 2}])', []),
    # transactions
    ('op.execute("VACUUM users")', ["EC231"]),
    # what is harmless
    ("op.execute(\"COMMENT ON TABLE users IS 'x'; GRANT SELECT ON users TO x; CREATE EXTENSION IF NOT EXISTS y\")", []),
    ('op.alter_column("users", "a", nullable=True)', []),
    ('op.drop_constraint("c", "users")', []),
    ("op.execute(\"SELECT my_function('x')\")", ["EC240"]),
]


@pytest.mark.parametrize(("body", "codes"), ORDINARY, ids=[body for body, _ in ORDINARY])
def test_an_ordinary_revision(written: Written, body: str, codes: list[str]) -> None:
    """Exactly these findings, each told once."""
    report = judge([with_effects(written.record(None, f"def upgrade():\n    {body}\n"))])
    assert codes == [finding.code for finding in report.findings]


BEGIN = "op.assert_contract(change); op.end_change(change)"
CONTRACT: list[tuple[str, list[str]]] = [
    (f'{BEGIN}; op.drop_column("users", "full_name")', []),
    (f'op.execute("SET LOCAL lock_timeout = \'1s\'"); {BEGIN}; op.drop_column("users", "full_name")', []),
    (f'{BEGIN}; op.execute("DROP TYPE old_mood; DROP FUNCTION f(); REVOKE ALL ON users FROM x")', []),
    (
        f'{BEGIN}; op.drop_column("users", "full_name"); op.alter_column("users", "display_name", nullable=False)',
        ["EC210"],
    ),
    (f'{BEGIN}; op.alter_column("users", "display_name", new_column_name="full_name")', ["EC210"]),
    (f'{BEGIN}; op.drop_table("users")', ["EC211"]),
    ('op.end_change(change); op.assert_contract(change); op.drop_column("users", "full_name")', ["EC212"]),
    ('op.assert_contract(change); op.drop_column("users", "full_name")', ["EC213"]),
    ("op.assert_contract(change)", ["EC213"]),
    (f'{BEGIN}; op.execute("UPDATE users SET display_name = 1")', ["EC230"]),
    (f'{BEGIN}; op.drop_index("i", "users")', ["EC224"]),
]


@pytest.mark.parametrize(("body", "codes"), CONTRACT, ids=[body for body, _ in CONTRACT])
def test_a_contract(written: Written, body: str, codes: list[str]) -> None:
    """Drops are intended, and what comes beside them is not."""
    report = judge([with_effects(written.record(Half.CONTRACT, f"def upgrade():\n    {body}\n"))])
    assert codes == [finding.code for finding in report.findings]


def test_an_expands_way_back_is_judged_too(written: Written) -> None:
    """A roll-back runs it while releases are live: order, data and constraints; an ordinary downgrade is not judged."""
    down = """

def downgrade():
    op.drop_column("users", "display_name")
    op.execute("UPDATE users SET nick = 'x'")
    op.alter_column("users", "nick", nullable=False)
"""
    add = 'def upgrade():\n    op.add_column("users", sa.Column("display_name", sa.Text()))\n'
    up = add + "    op.begin_change(change)\n"
    report = judge([with_effects(written.record(Half.EXPAND, up + down))])
    found = [(finding.code, str(finding.severity)) for finding in report.findings]
    assert [("EC213", "error"), ("EC230", "error"), ("EC222", "warning")] == found
    ordinary = 'def upgrade():\n    op.add_column("users", sa.Column("a", sa.Text()))\n'
    assert () == judge([with_effects(written.record(None, ordinary + down))]).findings


def test_what_says_that_it_cannot_be_undone_is_believed(written: Written) -> None:
    """The change declares the reason; no comment is needed beside it."""
    source = """def upgrade():
    op.execute("ALTER TYPE mood ADD VALUE 'calm'")


def downgrade():
    pass


change = Change("moods", irreversible="an enum keeps its values")
"""
    found = written.record(Half.EXPAND, source)
    assert "an enum keeps its values" == found.irreversible
    assert () == judge([found]).findings
