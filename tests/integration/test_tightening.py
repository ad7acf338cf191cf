"""A rule that tightens: nothing is forbidden before the contract, and no row is left that breaks it after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.config.load import load
from expandcontract.errors import UsageError
from expandcontract.runner.runner import Runner

if TYPE_CHECKING:
    from tests.fix_project import Project

RULE = "users_nick_not_null"
NULLABLE = "SELECT is_nullable FROM information_schema.columns WHERE table_name = 'users' AND column_name = 'nick'"
LEFT = """SELECT conname FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype NOT IN ('n', 'p')
UNION ALL SELECT relname FROM pg_class WHERE relkind = 'i' AND relname LIKE 'users_nick%'"""


def _last(project: Project) -> None:
    """Everything up to the contract: the window is over, and the previous color has the new release too."""
    project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    project.ec("deploy", "blue", "v2")


def test_rows_that_break_it_are_counted_and_shown(bare: Project) -> None:
    """Without a fill the backfill ends only when no row breaks the rule; ec verify shows the first twenty by key."""
    bare.sql("UPDATE users SET nick = NULL WHERE id <= 25")
    said = bare.ec("new", "set-not-null", "users", "nick")
    assert "25 rows would break it now, first: (id)=(1), (id)=(2)" in said
    bare.ec("advance", RULE)
    refused = bare.ec("advance", RULE, expect=3)
    assert "25 rows break the coming rule" in refused
    shown = bare.ec("verify", RULE, expect=1)
    assert 20 == shown.count("(id)=(")
    found = bare.document("verify", RULE, expect=1)
    assert (25, 20) == (found["events"][-1]["data"]["differing"], len(found["events"][-1]["data"]["rows"]))  # type: ignore[index]
    assert [("YES",)] == bare.sql(NULLABLE)
    bare.sql("UPDATE users SET nick = 'n' WHERE nick IS NULL")
    bare.ec("advance", RULE)
    assert "backfilled" == bare.phase(RULE)


def test_the_contract_mends_what_the_old_release_wrote(bare: Project) -> None:
    """NULLs written while the old release was live hold up nothing, and are mended just before the rule is made."""
    bare.sql("UPDATE users SET nick = NULL WHERE id <= 25")
    bare.ec("new", "set-not-null", "users", "nick", "--fill", "'user ' || id")
    bare.ec("advance", RULE)
    bare.ec("advance", RULE)
    assert [(0,)] == bare.sql("SELECT count(*) FROM users WHERE nick IS NULL")
    bare.sql("UPDATE users SET nick = NULL WHERE id BETWEEN 100 AND 109")
    assert "10 rows break the coming rule; the contract mends them" in bare.ec("gate", RULE, "cut-over", expect=3)
    bare.ec("advance", RULE, "--release", "v2")
    bare.sql("INSERT INTO users (full_name) VALUES ('the last of the old')")
    assert [("YES",)] == bare.sql(NULLABLE)
    _last(bare)
    said = bare.ec("advance", RULE)
    assert "rows of users that break the rule were mended" in said
    assert [("NO",)] == bare.sql(NULLABLE)
    assert [(11,)] == bare.sql("SELECT count(*) FROM users WHERE nick = 'user ' || id AND id > 25")


def test_a_rule_that_rows_break_at_the_last_moment_is_not_made(bare: Project) -> None:
    """Where nothing mends rows, the contract's gate counts them; the rule is not there, and the way back is."""
    bare.ec("new", "add-unique", "users", "nick")
    name = "users_nick_unique"
    bare.ec("advance", name)
    bare.ec("advance", name)
    bare.ec("advance", name, "--release", "v2")
    bare.sql("UPDATE users SET nick = 'twice' WHERE id <= 3")
    _last(bare)
    assert "2 rows break the coming rule" in bare.ec("advance", name, expect=3)
    assert "(nick)=(twice) in 3 rows" in bare.ec("verify", name, expect=1)
    assert [] == bare.sql(LEFT)
    bare.sql("UPDATE users SET nick = 'n' || id WHERE id <= 3")
    bare.ec("advance", name)
    with pytest.raises(psycopg.errors.UniqueViolation):
        bare.sql("UPDATE users SET nick = 'n1' WHERE id = 2")


def test_orphans_are_found_before_the_key(bare: Project) -> None:
    """A foreign key counts the rows that refer to nothing, and advises an index of the referencing side."""
    bare.sql("CREATE TABLE team (id int PRIMARY KEY)")
    bare.sql("INSERT INTO team SELECT n FROM generate_series(1, 10) AS n")
    bare.sql("UPDATE users SET visits = CASE WHEN id <= 7 THEN 99 ELSE id % 10 + 1 END")
    said = bare.ec("new", "add-foreign-key", "users", "visits", "REFERENCES", "team", "--name", "team")
    assert "7 rows would break it now, first: (id)=(1): (visits)=(99)" in said
    assert "ec new add-index users visits" in said
    bare.ec("advance", "team")
    assert "7 rows break the coming rule" in bare.ec("advance", "team", expect=3)


def test_a_held_column_cannot_go(bare: Project) -> None:
    """What a coming rule is about can neither be dropped by hand nor renamed by another pair; another rule may come."""
    bare.ec("new", "set-not-null", "users", "nick")
    bare.ec("advance", RULE)
    with pytest.raises(psycopg.errors.DependentObjectsStillExist, match="hold_users_nick_not_null"):
        bare.sql("ALTER TABLE users DROP COLUMN nick")
    said = bare.ec("new", "rename-column", "users", "nick", "called", expect=2)
    assert f"{RULE} maps nick of users already" in said
    bare.ec("new", "add-check", "users", "nick_long", "length(nick) > 0")
    bare.ec("advance", "users_nick_long")
    assert "expanded" == bare.phase("users_nick_long")


REFUSED = (
    ("set-not-null", {"column": "id"}, "users.id is NOT NULL already"),
    ("set-not-null", {"column": "nick", "fill": "full_name; DROP TABLE users"}, "is not one expression"),
    ("set-not-null", {"column": "nick", "fill": "'a'), ('b'"}, "is not one expression"),
    ("set-not-null", {"column": "nick", "fill": "visit"}, 'column "visit" does not exist'),
    ("set-not-null", {"column": "nick", "fill": "visits::text"}, "5000 rows of users would break the rule even with"),
    ("set-not-null", {"column": "visits", "fill": "full_name"}, "but expression is of type text"),
    ("add-check", {"constraint": "c", "sql": "visits > (SELECT 1)"}, "cannot use subquery"),
    ("add-check", {"constraint": "c", "sql": "now() > '2020-01-01'"}, "must always give the same value"),
    ("add-check", {"constraint": "c", "sql": "1 = 1"}, "is about no column of users"),
    ("add-check", {"constraint": "c", "sql": "visits > 0, visits"}, "is not one expression"),
    ("add-check", {"constraint": "users_pkey", "sql": "visits > 0"}, "has a constraint 'users_pkey' already"),
    ("add-check", {"constraint": "c", "sql": "visits > 0", "fill": "nick='x'"}, "a value of nick mends no row"),
    ("add-check", {"constraint": "c", "sql": "visits > 0", "fill": "visits"}, "sets nothing"),
    ("add-unique", {"columns": ["id"]}, "users has users_pkey over these columns already"),
    ("add-unique", {"columns": ["nick", "nick"]}, "a column stands twice"),
    ("add-unique", {"columns": ["nick"], "constraint": "ix_users_full_name"}, "or its schema a relation of that name"),
    ("add-unique", {"columns": ["nick"], "constraint": "x" * 64}, "PostgreSQL keeps 63 bytes"),
    ("add-unique", {"table": "part", "columns": ["id"]}, "part is partitioned by region, which a unique constraint"),
    ("add-unique", {"table": "parent", "columns": ["id"]}, "child inherit from parent"),
    (
        "add-foreign-key",
        {"columns": ["visits"], "target": "users", "target_columns": ["visits"]},
        "not unique together",
    ),
    ("add-foreign-key", {"columns": ["nick"], "target": "users"}, "cannot be implemented"),
    ("add-foreign-key", {"columns": ["nick", "visits"], "target": "users"}, "not as many"),
    ("add-foreign-key", {"columns": ["visits"], "target": "parent"}, "parent has no primary key to refer to"),
    ("add-foreign-key", {"columns": ["visits"], "target": "users", "on_delete": "drop"}, "there is no action 'drop'"),
)


def test_what_cannot_be_is_refused_before_anything_is_written(bare: Project) -> None:
    """Each refusal says why; no file is written and the database is as it was."""
    bare.sql("UPDATE users SET nick = NULL")
    bare.sql("CREATE TABLE part (id int, region int) PARTITION BY LIST (region)")
    bare.sql("CREATE TABLE parent (id int)")
    bare.sql("CREATE TABLE child () INHERITS (parent)")
    runner = Runner(load(bare.directory, database=bare.database), bare.directory)
    for recipe, arguments, reason in REFUSED:
        with pytest.raises(UsageError, match=re.escape(reason)):
            runner.new(recipe, **{"table": "users", **arguments})
    assert 1 == len(list((bare.directory / "migrations" / "versions").glob("*.py")))
    assert [(5000,)] == bare.sql("SELECT count(*) FROM users")
