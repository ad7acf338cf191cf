"""Statements are read into what they do; what cannot be placed is never taken for harmless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.core.mapping import Table
from expandcontract.core.revision import Action, Kind
from expandcontract.pg.parsed import cut
from expandcontract.pg.statement import read

T = Table(schema="public", name="t")
X = Table(schema="s", name="X y")
SCRAPS = [
    "alter",
    "table",
    "t",
    "add",
    "drop",
    "column",
    "constraint",
    "(",
    ")",
    ",",
    "not",
    "null",
    "check",
    ";",
    "'",
    "$$",
    "with",
]


def act(kind: Kind, table: Table | None = T, column: str | None = None, name: str | None = None, *said: str) -> Action:
    """An action, its optional words last."""
    return Action(kind=kind, table=table, column=column, name=name, said=frozenset(said))


CASES = [
    ("ALTER TABLE t DROP COLUMN a", act(Kind.DROP_COLUMN, T, "a")),
    ('alter table if exists only s."X y" drop if exists "A"', act(Kind.DROP_COLUMN, X, "A")),
    ("ALTER TABLE t RENAME a TO b", act(Kind.RENAME_COLUMN, T, "a", "b")),
    ("ALTER TABLE t RENAME TO u", act(Kind.RENAME_TABLE, T, None, "u")),
    ("ALTER TABLE t SET SCHEMA s", act(Kind.RENAME_TABLE, T, None, "s")),
    ("ALTER TABLE t RENAME CONSTRAINT a TO b", act(Kind.ALTER, None, None, "tabconstraint t")),
    ("ALTER TABLE t ALTER a SET NOT NULL", act(Kind.SET_NOT_NULL, T, "a")),
    ("ALTER TABLE t ALTER COLUMN a DROP DEFAULT", act(Kind.DROP_DEFAULT, T, "a")),
    ("ALTER TABLE t ALTER COLUMN a SET STATISTICS 5", act(Kind.ALTER, T, "a", "set statistics")),
    ("ALTER TABLE t VALIDATE CONSTRAINT c", act(Kind.VALIDATE_CONSTRAINT, T, None, "c")),
    (
        "ALTER TABLE t ADD CONSTRAINT c NOT NULL a NOT VALID",
        act(Kind.ADD_CONSTRAINT, T, "a", "c", "not null", "not valid"),
    ),
    ("ALTER TABLE t ADD UNIQUE USING INDEX i", act(Kind.ADD_CONSTRAINT, T, None, None, "unique", "using index")),
    ("ALTER TABLE t FORCE ROW LEVEL SECURITY", act(Kind.RESTRICT, T, None, "row level security")),
    ("ALTER TABLE t DISABLE ROW LEVEL SECURITY", act(Kind.ALTER, T, None, "disable row security")),
    ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", act(Kind.ALTER, T, None, "detach partition", "concurrently")),
    ("ALTER INDEX i RENAME TO j", act(Kind.ALTER, None, None, "index i")),
    ("ALTER VIEW v RENAME TO w", act(Kind.RENAME, None, None, "view v")),
    ("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'x'", act(Kind.ADD_VALUE, None, None, "mood")),
    ("ALTER TYPE mood RENAME VALUE 'x' TO 'y'", act(Kind.RENAME, None, None, "value of type mood")),
    ("CREATE TEMP TABLE IF NOT EXISTS t (a int)", act(Kind.CREATE_TABLE)),
    ("CREATE TABLE t PARTITION OF p DEFAULT", act(Kind.CREATE_TABLE, T, None, None, "partition")),
    ("CREATE OR REPLACE VIEW s.v AS SELECT 1", act(Kind.CREATE, None, None, "view s.v")),
    ("CREATE MATERIALIZED VIEW v AS SELECT 1", act(Kind.CREATE, None, None, "materialized view v")),
    ("CREATE POLICY p ON t USING (true)", act(Kind.RESTRICT, T, None, "create policy")),
    ("DROP MATERIALIZED VIEW IF EXISTS v", act(Kind.DROP, None, None, "materialized view v", "if exists")),
    ("DROP INDEX CONCURRENTLY i", act(Kind.DROP_INDEX, None, None, "i", "concurrently")),
    ("UPDATE ONLY t SET a = (SELECT 1 WHERE true)", act(Kind.UPDATE)),
    ("UPDATE t AS x SET a = 1 WHERE b", act(Kind.UPDATE, T, None, None, "where")),
    ("DELETE FROM t", act(Kind.DELETE)),
    ("WITH x AS (SELECT 1) DELETE FROM t USING x WHERE true", act(Kind.DELETE, T, None, None, "where")),
    ("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", act(Kind.DELETE)),
    ("INSERT INTO t (a) SELECT a FROM u", act(Kind.INSERT, T, None, None, "select")),
    ("INSERT INTO t (a) VALUES ((SELECT 1))", act(Kind.INSERT)),
    ("MERGE INTO t USING u ON true WHEN MATCHED THEN DO NOTHING", act(Kind.MERGE)),
    ("TRUNCATE t", act(Kind.TRUNCATE)),
    ("SET LOCAL lock_timeout TO '0'", act(Kind.SETTING, None, "lock_timeout", "0")),
    ("SELECT set_config('statement_timeout', '0', false)", act(Kind.SETTING, None, "statement_timeout", "0")),
    ("RESET ALL", act(Kind.SETTING, None, "all", "default")),
    ("REVOKE ALL ON TABLE t FROM x", act(Kind.RESTRICT, T, None, "revoke")),
    ("VACUUM FULL t", act(Kind.MAINTAIN, None, None, "vacuum", "alone")),
    ("REINDEX (VERBOSE) INDEX CONCURRENTLY i", act(Kind.REINDEX, None, None, "i", "concurrently")),
    ("SELECT expandcontract.end_change('x')", act(Kind.END_CHANGE, None)),
    ("SELECT setval('s', 1)", act(Kind.SELECT, None)),
    ("SELECT drop_everything()", act(Kind.UNKNOWN, None, None, "drop_everything()")),
    ("SELECT a INTO t FROM u", act(Kind.CREATE_TABLE)),
    ("DO $$ DROP TABLE t $$", act(Kind.UNKNOWN, None, None, "do")),
    ("CALL tidy()", act(Kind.UNKNOWN, None, None, "call")),
    ("CREATE", act(Kind.UNKNOWN, None, None, "what does not parse")),
    ("UPDATE t SET a = :a, b = %(b)s", act(Kind.UPDATE)),
    ("CREATE TYPE s.mood AS ENUM ('x')", act(Kind.CREATE, None, None, "type s.mood")),
    ("CREATE SEQUENCE q", act(Kind.CREATE, None, None, "sequence q")),
    ("CREATE EXTENSION IF NOT EXISTS x", act(Kind.CREATE, None, None, "extension")),
    ("ALTER SEQUENCE q OWNED BY NONE", act(Kind.ALTER, None, None, "seq")),
    ("ALTER TYPE pair DROP ATTRIBUTE a", act(Kind.DROP, None, None, "attribute of type pair")),
    ("DROP FUNCTION s.f(int)", act(Kind.DROP, None, None, "function s.f")),
    ("DROP TYPE mood", act(Kind.DROP, None, None, "type mood")),
    ("DROP SCHEMA s", act(Kind.DROP, None, None, "schema s")),
    ("GRANT SELECT ON t TO x", act(Kind.GRANT, None)),
    ("COMMIT", act(Kind.UNKNOWN, None, None, "transaction")),
    ("", act(Kind.UNKNOWN, None)),
]


@pytest.mark.parametrize(("sql", "action"), CASES, ids=[sql for sql, _ in CASES])
def test_one_action(sql: str, action: Action) -> None:
    """The action, its table, its column, its name and its optional words."""
    assert (action,) == read(sql)


def test_one_alter_table_may_do_several_things() -> None:
    """Commas between actions are told from commas inside them; types and optional words are read behind names."""
    found = read(
        "ALTER TABLE t ADD a numeric(10,2) DEFAULT round(1.0, 2) NOT NULL, ADD b serial, /* , DROP x */"
        " ADD COLUMN g int GENERATED ALWAYS AS (a + 1) STORED, ADD i int GENERATED BY DEFAULT AS IDENTITY,"
        " ADD r int REFERENCES u (id) CHECK (r > 0), ALTER c TYPE varchar(9) USING left(c, 9), ADD CHECK (lower(a) > b)"
    )
    assert [
        (Kind.ADD_COLUMN, "a", "numeric(10,2)", {"default", "not null"}),
        (Kind.ADD_COLUMN, "b", "serial", {"default", "not null", "serial"}),
        (Kind.ADD_COLUMN, "g", "integer", {"default", "generated", "stored"}),
        (Kind.ADD_COLUMN, "i", "integer", {"default", "identity"}),
        (Kind.ADD_COLUMN, "r", "integer", {"foreign key", "check"}),
        (Kind.CHANGE_TYPE, "c", "varchar(9)", {"using"}),
        (Kind.ADD_CONSTRAINT, None, None, {"check"}),
    ] == [(action.kind, action.column, action.type, set(action.said)) for action in found]
    assert ("a", "b") == found[-1].columns


def test_keys_have_their_columns() -> None:
    """In their order, unquoted."""
    (unique,) = read('ALTER TABLE t ADD CONSTRAINT c UNIQUE NULLS NOT DISTINCT (a, "B c") INCLUDE (d)')
    (foreign,) = read("ALTER TABLE t ADD FOREIGN KEY (a, b) REFERENCES u (x, y) ON DELETE CASCADE NOT VALID")
    (index,) = read('CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t USING btree (a DESC, "B c") WHERE a > 0')
    assert ("a", "B c") == unique.columns == index.columns
    assert (("a", "b"), {"foreign key", "not valid"}) == (foreign.columns, set(foreign.said))
    assert {"unique", "concurrently", "if not exists"} == set(index.said)


def test_several_names_are_several_actions() -> None:
    """``DROP TABLE a, b`` drops two."""
    assert ["a", "s.b"] == [str(action.table) for action in read("DROP TABLE IF EXISTS a, s.b CASCADE")]


def test_statements_are_split_outside_of_strings_and_bodies() -> None:
    """Semicolons in strings, dollar quotes, comments, names and SQL bodies of functions end nothing."""
    parts = [
        "SELECT ';', E'\\';', U&\";\"",
        "DO $x$ a; $$ ; $$ b; $x$",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; SELECT 2; END",
        "SELECT 1 /* ; /* ; */ ; */ + 1 -- ;\n + 2",
    ]
    assert parts == [one.text for one in cut("; ".join(parts) + ";\n -- ;\n")]


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    """Whatever is written, reading ends and says something."""
    assert all(read(part.text) for part in cut(text))
    assert read(text)


@given(st.lists(st.sampled_from(SCRAPS)))
def test_any_order_of_words_is_read(words: list[str]) -> None:
    """As above, of what looks like DDL."""
    assert read(" ".join(words))
