"""Predictions without a database: what the statements alone tell, the worst where they do not, and never a guess."""

from __future__ import annotations

import pytest

from expandcontract.core.effect import Effect, Lock, LockMode
from expandcontract.pg.locks import predict
from expandcontract.pg.locks.parse import is_transactional
from expandcontract.pg.parsed import cut

T = "CREATE TABLE t (id int PRIMARY KEY, v varchar(20)); "
SPLIT = "CREATE TABLE p (id int, b int) PARTITION BY RANGE (id); CREATE TABLE b (id int PRIMARY KEY); "


def _last(script: str, *, major: int | None = None) -> Effect:
    return predict(None, script, major=major)[-1]


@pytest.mark.parametrize(
    "statement",
    [
        "DO $$ BEGIN DROP TABLE t; END $$",
        "CALL anything()",
        "SELECT a_function_of_theirs()",
        "SELECT expandcontract.not_one_of_ours('x')",
        "this is no SQL",
        "ALTER TABLE t SET TABLESPACE fast",
        "ALTER TABLE t SET (toast_tuple_target = 128)",
        "DROP SCHEMA s CASCADE",
        "EXECUTE prepared",
    ],
)
def test_what_no_rule_knows_is_unknown(statement: str) -> None:
    """A statement whose effect cannot be told is told as unknown."""
    assert ("unknown", False) == (_last(statement).form, _last(statement).known)


def test_one_unknown_action_makes_the_statement_unknown() -> None:
    """What is known of the other actions is told all the same."""
    effect = _last(T + "ALTER TABLE t ADD COLUMN x int, SET TABLESPACE fast")
    lock = Lock(relation="public.t", mode=LockMode.ACCESS_EXCLUSIVE)
    assert (False, (lock,)) == (effect.known, effect.locks)


@pytest.mark.parametrize(
    ("statement", "form", "rewrites", "scans"),
    [
        ("ALTER TABLE u ALTER COLUMN v TYPE text", "change type, rewrite", True, False),
        ("ALTER TABLE u ALTER COLUMN v SET NOT NULL", "set not null", False, True),
        ("ALTER TABLE u ADD COLUMN x of_theirs", "add column checked domain", True, False),
        ("ALTER TABLE u ADD COLUMN x int DEFAULT theirs()", "add column volatile default", True, False),
        ("ALTER TABLE u VALIDATE CONSTRAINT c", "validate foreign key", False, True),
    ],
)
def test_the_worst_is_assumed(statement: str, form: str, *, rewrites: bool, scans: bool) -> None:
    """Where the catalogue would decide and there is none, the worst is told and marked."""
    effect = _last(statement)
    assert (form, True) == (effect.form, effect.assumed)
    assert (rewrites, scans) == (effect.rewrites == {"public.u"}, effect.scans == {"public.u"})


def test_a_dropped_constraint_may_be_a_foreign_key() -> None:
    """An unknown constraint is taken for the kind that locks most, on a relation that cannot be told."""
    assert ("?", "public.u") == tuple(lock.relation for lock in _last("ALTER TABLE u DROP CONSTRAINT c").locks)


@pytest.mark.parametrize(
    ("statement", "form"),
    [
        ("ALTER TABLE t ALTER COLUMN v TYPE varchar(50)", "change type, no rewrite"),
        ("ALTER TABLE t ALTER COLUMN v TYPE varchar(10)", "change type, rewrite"),
        ("ALTER TABLE t ALTER COLUMN id SET NOT NULL", "set not null, there already"),
        ("ALTER TABLE t ADD COLUMN IF NOT EXISTS v text", "add column, there already"),
        ("ALTER TABLE t ADD COLUMN x uuid DEFAULT gen_random_uuid()", "add column volatile default"),
        ("ALTER TABLE t ADD COLUMN x timestamptz DEFAULT now()", "add column stable default"),
        ("DROP TABLE t", "drop table"),
    ],
)
def test_tables_of_the_script_are_known(statement: str, form: str) -> None:
    """What the script itself has made is a fact, without any database."""
    effect = _last(T + statement)
    assert (form, False) == (effect.form, effect.assumed)


def test_a_refusal_is_foretold() -> None:
    """What PostgreSQL 16 will not run and 18 will is told with the server's own reason, and the name of the table."""
    script = SPLIT + "ALTER TABLE p ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES b NOT VALID"
    said = 'cannot add NOT VALID foreign key on partitioned table "p" referencing relation "b"'
    assert (said, "") == (_last(script, major=16).refused, _last(script, major=18).refused)


def test_between_two_versions_the_stronger_counts() -> None:
    """GRANT locks nothing on 16 and takes ACCESS SHARE on 18; for 17, not measured, the stronger is assumed."""
    found = [_last(T + "GRANT SELECT ON t TO PUBLIC", major=major) for major in (16, 17, 18)]
    assert [None, LockMode.ACCESS_SHARE, LockMode.ACCESS_SHARE] == [effect.strongest for effect in found]
    assert [False, True, False] == [effect.assumed for effect in found]
    assert not _last(T + "ALTER TABLE t ADD COLUMN x int", major=17).assumed


def test_a_script_is_read_statement_by_statement() -> None:
    """Semicolons in strings and bodies end nothing, and what cannot be parsed does not hide the rest."""
    script = "SELECT ';'; gibberish here; ALTER TABLE t ADD x int; -- and a remark"
    assert ["SELECT ';'", "gibberish here", "ALTER TABLE t ADD x int"] == [found.text for found in cut(script)]
    assert () == cut("  -- nothing\n")


@pytest.mark.parametrize(
    ("statement", "transactional"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (v)", False),
        ("DROP INDEX CONCURRENTLY i", False),
        ("REINDEX TABLE CONCURRENTLY t", False),
        ("REINDEX (CONCURRENTLY off) TABLE t", True),
        ("ALTER TABLE p DETACH PARTITION t CONCURRENTLY", False),
        ("VACUUM t", False),
        ("ANALYZE t", True),
        ("CREATE DATABASE d", False),
        ("ALTER TYPE e ADD VALUE 'x'", True),
    ],
)
def test_what_runs_outside_a_transaction(statement: str, *, transactional: bool) -> None:
    """The statements that PostgreSQL refuses in a transaction block are told apart."""
    assert transactional is is_transactional(statement) is _last(statement).transactional
