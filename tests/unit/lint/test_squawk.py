"""squawk's own program, over the SQL of recorded revisions."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from expandcontract.core.revision import Half, Revision
from expandcontract.lint.judge import judge
from expandcontract.lint.squawk import MISSING, OFF, OFF_IN, find, squawk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_revisions import Written


def rules_of(revision: Revision) -> list[tuple[int, str]]:
    """Line and rule of what squawk finds in a revision."""
    found, note = squawk([revision], find())
    assert (note, found is None) == ("", False)
    return [(finding.line, finding.code) for finding in (found or {})[revision.id]]


def test_it_is_installed_for_the_tests() -> None:
    """Otherwise nothing below would test anything."""
    assert find() is not None


def test_its_findings_stand_at_the_call(written: Written) -> None:
    """Lines are those of the revision's file, also behind statements of several lines and without a transaction."""
    source = '''def upgrade():
    op.create_table("new", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("c", sa.CHAR(3)))
    with op.get_context().autocommit_block():
        op.create_index("ix", "users", ["nick"])  # not concurrently
    op.execute("""
        ALTER TABLE users
            ADD CONSTRAINT a_check
            CHECK (a > 0)
    """)
    op.execute("COMMENT ON TABLE users IS NULL -- a comment ends it")
    op.drop_column("users", "nick")  # dropped
'''
    found = rules_of(written.record(None, source))
    assert [
        (written.line("# not concurrently"), "squawk:require-concurrent-index-creation"),
        (written.line('op.execute("""'), "squawk:constraint-missing-not-valid"),
        (written.line("# dropped"), "squawk:ban-drop-column"),
    ] == found


def test_a_drop_is_intended_in_a_contract(written: Written) -> None:
    """The very statement that is found in an expand is none in a contract."""
    source = 'def upgrade():\n    op.drop_column("users", "full_name")\n    op.drop_table("old")\n'
    assert ["squawk:ban-drop-column", "squawk:ban-drop-table"] == [
        code for _, code in rules_of(written.record(Half.EXPAND, source))
    ]
    assert [] == rules_of(written.record(Half.CONTRACT, source))


def test_where_ours_says_it_squawk_is_silent(written: Written) -> None:
    """One statement, one finding: ours, which knows the half and the code to write."""
    revision = written.record(None, 'def upgrade():\n    op.create_index("ix", "users", ["nick"])\n')
    found, _ = squawk([revision], find())
    assert ["EC223"] == [finding.code for finding in judge([revision], found).findings]


def test_several_revisions_are_told_apart(written: Written) -> None:
    """One process reads them all; each finding goes to its own revision, and one without SQL has none."""
    first = written.record(None, 'def upgrade():\n    op.drop_table("a")\n')
    empty = Revision(id="none", path="none.py")
    found, _ = squawk([first, empty], find())
    assert found is not None
    assert (1, []) == (len(found[first.id]), found["none"])
    assert ({"none": []}, "") == squawk([empty], find())


def test_without_squawk_the_other_rules_run(written: Written) -> None:
    """A note says what is missing and how to get it; no finding is lost, and nothing fails."""
    revision = written.record(None, 'def upgrade():\n    op.drop_table("a")\n')
    found, note = squawk([revision], None)
    assert (None, MISSING) == (found, note)
    assert ["EC201"] == [finding.code for finding in judge([revision], found, [note]).findings]


@pytest.mark.parametrize("script", ["echo not-json; exit 1", "echo 'bad flag' >&2; exit 2", "echo '[{}]'; exit 1"])
def test_a_squawk_that_fails_is_a_note(written: Written, tmp_path: Path, script: str) -> None:
    """Another version's output, flags or crash end squawk's part alone."""
    program = tmp_path / "squawk"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    found, note = squawk([written.record(None, 'def upgrade():\n    op.drop_table("a")\n')], str(program))
    assert found is None
    assert note.startswith("squawk failed, its rules did not run: ")


def test_every_rule_that_is_off_says_why() -> None:
    """No rule is off without a reason, and none is listed twice."""
    for half, table in OFF_IN.items():
        assert not set(table) & set(OFF), half
        assert all(len(reason) > 20 for reason in (*OFF.values(), *table.values()))
