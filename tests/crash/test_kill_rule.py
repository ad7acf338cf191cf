"""A contract killed once its rule is made and before its end: it goes on from there, or the rule is taken away."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.core.mapping import Table
from expandcontract.pg.connect import parse
from expandcontract.revisions import sealing
from expandcontract.revisions.operations import SealNotNull, SealUnique
from tests.acceptance.test_together import wait_until
from tests.sessions import ours

if TYPE_CHECKING:
    from tests.fix_project import Project

RULE = "users_nick_not_null"
MADE = """SELECT 1 FROM pg_attribute AS a WHERE attrelid = 'users'::regclass AND attname = 'nick' AND attnotnull
    AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = a.attrelid AND NOT c.convalidated)
    AND NOT EXISTS (SELECT FROM pg_constraint AS c WHERE c.conrelid = a.attrelid AND c.contype = 'c')"""
MOVING = f"SELECT 1 {ours()} AND state <> 'idle'"


def _killed(project: Project, lock: str, sign: str) -> None:
    """Everything up to the contract, which is killed where it waits for ``lock`` and ``sign`` is to be seen."""
    project.ec("new", "set-not-null", "users", "nick", "--fill", "'none'")
    project.ec("advance", RULE)
    project.ec("advance", RULE)
    project.ec("advance", RULE, "--release", "v2")
    project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    project.ec("deploy", "blue", "v2")
    with psycopg.connect(project.database) as connection:
        connection.execute(lock)
        process = project.begin("advance", RULE)
        try:
            wait_until(lambda: project.sql(sign))
        finally:
            process.kill()
            process.communicate()
    wait_until(lambda: not project.sql(MOVING))


def test_killed_after_the_rule(bare: Project) -> None:
    """Taken back, the rule is gone and old releases fit again; made once more, it ends as if nothing had been."""
    _killed(bare, "LOCK TABLE alembic_version IN EXCLUSIVE MODE", MADE)
    assert [("cut_over", "contract")] == bare.sql("SELECT phase, move FROM expandcontract.change")
    bare.ec("rollback", RULE)
    assert [] == bare.sql(MADE)
    bare.sql("INSERT INTO users (full_name) VALUES ('as before')")
    bare.ec("advance", RULE)
    assert [(1,)] == bare.sql(MADE)
    assert "contracted" == bare.phase(RULE)


def test_killed_after_the_rule_and_run_again(bare: Project) -> None:
    """Run again it ends as an undisturbed one does."""
    _killed(bare, "LOCK TABLE alembic_version IN EXCLUSIVE MODE", MADE)
    bare.ec("advance", RULE)
    assert [(1,)] == bare.sql(MADE)
    assert "contracted" == bare.phase(RULE)


def test_killed_before_the_rule_plain_alembic_does_not_end_it(bare: Project) -> None:
    """A contract that ec began is not ended by plain Alembic without the rule that it is for."""
    _killed(
        bare,
        "LOCK TABLE users IN ROW EXCLUSIVE MODE",
        "SELECT 1 FROM expandcontract.change WHERE move = 'contract'",
    )
    said = bare.run("alembic", "upgrade", "heads", expect=255)
    assert f"contract of {RULE} is refused: NOT NULL of users.nick is not made yet; nothing was run" in said
    assert "cut_over" == bare.phase(RULE)
    bare.ec("advance", RULE)
    assert "contracted" == bare.phase(RULE)


@pytest.mark.parametrize("item", [SealUnique("once", Table.parse("t"), ("a",)), SealNotNull(Table.parse("t"), "a")])
def test_what_a_broken_making_left_is_taken_back(database: str, item: SealUnique | SealNotNull) -> None:
    """An invalid index or a rule that never was validated is no rule, and goes like one."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE t (a int)")
        connection.execute("INSERT INTO t VALUES (1), (1), (NULL)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("CREATE UNIQUE INDEX CONCURRENTLY once ON t (a)")
        connection.execute("ALTER TABLE t ADD CONSTRAINT t_a_not_null_proof CHECK (a IS NOT NULL) NOT VALID")
        list(sealing.undo(parse(database), (item,), lambda: None))
        left = connection.execute(
            "SELECT relname FROM pg_class WHERE relname = 'once' UNION ALL"
            " SELECT conname FROM pg_constraint WHERE conrelid = 't'::regclass"
        ).fetchall()
    assert [("t_a_not_null_proof",) if isinstance(item, SealUnique) else ("once",)] == left
