"""What goes is held and told; what depends on it stops the contract, and a way back stays until then."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg
import pytest

from expandcontract.core.phase import Phase
from expandcontract.errors import LockTimeoutError, PairError, RefusedError, UsageError
from tests.compat.cases import drop_column, drop_table, rename_table
from tests.compat.drive import Case, Drive

if TYPE_CHECKING:
    from collections.abc import Callable

    from expandcontract.pg.server import LocalServer
    from tests.fix_project import Project

    Prepared = Callable[..., Drive]

BADGE, USERS, TEAM = drop_table.CASES[0], drop_column.CASES[0], drop_column.CASES[1]
RENAMED = rename_table.CASES[0]


@pytest.fixture
def drives(empty: Project, server: LocalServer, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    """Makes the drive of a case, ready in its project."""
    monkeypatch.chdir(empty.directory)
    settings = empty.directory / "expandcontract.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + '\n[lock]\nbudget = "2s"\n', encoding="utf-8")

    def prepared(case: Case, *, cut_over: bool = False) -> Drive:
        drive = Drive(case, empty, server)
        drive.prepare()
        while cut_over and drive.state().phase is not Phase.CUT_OVER:
            drive.advance()
        return drive

    return prepared


def _ready(drive: Drive) -> None:
    drive.project.sql("UPDATE expandcontract.change SET window_length = interval '0'")
    drive.do("deploy", "blue", "v3")


def test_what_goes_along_is_told(drives: Prepared) -> None:
    """Ec new names every index, constraint and statistics that goes with a column, and what depends on it."""
    drive = drives(TEAM)
    drive.project.sql("CREATE VIEW seen AS SELECT team FROM users")
    notes = drive.runner.new("drop-column", table="users", column="nick", default="'x'", name="other").notes
    assert ("check users_nick_check goes with it",) == notes
    drive.project.sql("ALTER TABLE users ADD COLUMN visits int")
    drive.project.sql("ALTER TABLE users ADD COLUMN twice int GENERATED ALWAYS AS (visits * 2) STORED")
    drive.project.sql("CREATE INDEX both_of ON users (visits, name)")
    found = drive.runner.new("drop-column", table="users", column="visits").notes
    assert (
        "index both_of (also over name) goes with it",
        "the contract is refused until this is changed or dropped: column twice, which is generated from it",
    ) == found


@pytest.mark.parametrize(
    ("case", "made", "said"),
    [
        (TEAM, "CREATE VIEW seen AS SELECT team FROM users", "rule _RETURN on view seen"),
        (TEAM, "CREATE POLICY p ON users USING (team > 0)", "policy p on table users"),
        (
            TEAM,
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN team FROM users; END'",
            "function f(), whose body mentions it",
        ),
        (TEAM, "ALTER TABLE users ADD COLUMN x int GENERATED ALWAYS AS (team + 1) STORED", "column x, which is"),
        (BADGE, "CREATE VIEW counted AS SELECT count(*) FROM badge", "rule _RETURN on view counted"),
        (BADGE, "CREATE TABLE pin (badge int REFERENCES badge)", "constraint pin_badge_fkey on table pin"),
        (BADGE, "CREATE TABLE case_of (badges badge[])", "column badges of table case_of"),
        (RENAMED, "CREATE VIEW named AS SELECT name FROM users", "rule _RETURN on view named"),
    ],
    ids=["view", "policy", "function", "generated", "counting", "key", "type", "on-the-view"],
)
def test_the_contract_is_refused_while_something_depends_on_it(
    drives: Prepared, case: Case, made: str, said: str
) -> None:
    """What PostgreSQL would refuse, and what it would not see, closes the gate by name; nothing is dropped."""
    drive = drives(case, cut_over=True)
    drive.project.sql(made)
    _ready(drive)
    with pytest.raises(RefusedError, match=re.escape(said)):
        drive.advance()
    assert Phase.CUT_OVER is drive.state().phase
    assert drive.state().in_flight is None


@pytest.mark.parametrize(
    ("case", "by_hand"),
    [
        (TEAM, "ALTER TABLE users DROP COLUMN team"),
        (BADGE, "DROP TABLE badge"),
        (RENAMED, "DROP VIEW users"),
        (RENAMED, "DROP TABLE accounts"),
        (RENAMED, "ALTER TABLE accounts DROP COLUMN visits"),
    ],
)
def test_nobody_drops_it_by_hand(drives: Prepared, case: Case, by_hand: str) -> None:
    """From the expand on PostgreSQL refuses, and names the hold."""
    drive = drives(case)
    drive.advance()
    with pytest.raises(psycopg.errors.DependentObjectsStillExist, match=f"hold_{case.name}"):
        drive.project.sql(by_hand)


def test_a_foreign_key_that_went_first_comes_back(drives: Prepared) -> None:
    """A contract broken off between its foreign keys and its end is taken back as it was, or ended."""
    drive = drives(BADGE, cut_over=True)
    before = drive.dump()
    _ready(drive)
    keys = "SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f' AND confrelid = 'team'::regclass"
    with psycopg.connect(drive.project.database) as other:
        other.execute("LOCK TABLE alembic_version IN EXCLUSIVE MODE")
        with pytest.raises(LockTimeoutError):
            drive.advance()
    assert [] == drive.project.sql(keys)
    drive.do("rollback", [BADGE.name])
    assert [("badge_team_fkey", True)] == drive.project.sql(keys)
    assert before == drive.dump()
    drive.advance()
    assert Phase.CONTRACTED is drive.state().phase


@pytest.mark.parametrize("case", [USERS, BADGE, RENAMED], ids=lambda case: case.recipe)
def test_check_is_quiet_while_it_is_open(drives: Prepared, case: Case) -> None:
    """Models that are ahead find nothing to do while the old shape is still there."""
    drive = drives(case)
    drive.advance()
    drive.check_models()


def test_two_changes_do_not_meet(drives: Prepared) -> None:
    """While a table is renamed nothing else changes its columns, under either name; a rule keeps it where it is."""
    drive = drives(RENAMED)
    with pytest.raises(PairError, match="users_to_accounts maps"):
        drive.runner.new("rename-column", table="users", old="visits", new="calls")
    drive.advance()
    with pytest.raises(PairError, match="users_to_accounts maps"):
        drive.runner.new("drop-column", table="accounts", column="visits")
    drive.runner.new("set-not-null", table="badge", column="owner")
    with pytest.raises(PairError, match="badge_owner_not_null maps owner of badge"):
        drive.runner.new("rename-table", old="badge", new="pins")


REFUSED = (
    ("drop-column", {"column": "id"}, "is in the primary key users_pkey"),
    ("drop-column", {"column": "nick"}, "is NOT NULL and has no default"),
    ("drop-column", {"column": "nick", "default": "'never'"}, "would fail: new row for relation"),
    ("drop-column", {"column": "nick", "default": "NULL"}, "would fail: null value in column"),
    ("drop-column", {"column": "nick", "default": "name"}, 'column "name" does not exist'),
    ("drop-column", {"column": "nick", "default": "'a', 'b'"}, "is not one expression"),
    ("drop-column", {"column": "mail", "default": "'x'"}, "would fail: duplicate key value"),
    ("drop-column", {"table": "part", "column": "at"}, "is in the partition key of part"),
    ("drop-column", {"table": "part_rest", "column": "id"}, "is inherited from part"),
    ("drop-table", {"table": "part_rest"}, "is a partition"),
    ("drop-table", {"table": "parent"}, "is inherited from by child"),
    ("drop-table", {"table": "child"}, "child inherits"),
    ("drop-table", {"table": "bare"}, "has no column"),
    ("rename-table", {"old": "users", "new": "team"}, "there is a relation or type team already"),
    ("rename-table", {"old": "users", "new": "x" * 64}, "is longer than the 63 bytes"),
    ("rename-table", {"old": "bare", "new": "bear"}, "has no column"),
)


def test_what_cannot_be_is_refused_before_anything_is_written(drives: Prepared) -> None:
    """Each refusal says why, and no file is written."""
    drive = drives(TEAM)
    files = len(list((drive.project.directory / "migrations" / "versions").glob("*.py")))
    drive.project.sql(
        "ALTER TABLE users ADD COLUMN mail text UNIQUE; CREATE TABLE bare ();"
        "CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent);"
        "CREATE TABLE part (id int, at date) PARTITION BY RANGE (at); CREATE TABLE part_rest PARTITION OF part DEFAULT"
    )
    for recipe, arguments, reason in REFUSED:
        given = arguments if recipe == "rename-table" else {"table": "users", **arguments}
        with pytest.raises(UsageError, match=re.escape(reason)):
            drive.runner.new(recipe, **given)
    assert files == len(list((drive.project.directory / "migrations" / "versions").glob("*.py")))
