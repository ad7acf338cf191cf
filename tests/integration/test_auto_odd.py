"""``ec new auto`` where it must not guess: refusals by name, what waits for the next run, and names of every kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.errors import PairError, UndecidedError, UsageError
from expandcontract.revisions.project import Project as Revisions
from tests.integration.test_auto_pairs import AS_IT_IS, BADGE, SETUP, TEAM_COLUMN, USERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fix_models import Modelled

pytestmark = pytest.mark.slow
NICK = 'Column("nick", String(20))'
ID = 'Column("id", BigInteger, primary_key=True), Column("name"'
VISITED = 'Index("ix_users_visits", "visits")'
REFUSED = [
    (
        (NICK, NICK + ', Column("born", sa.Date, nullable=False)'),
        UsageError,
        "new column users.born: born shall be NOT NULL and has no default",
        "--with users.born:OPTION=VALUE",
    ),
    (
        (ID, ID.replace("BigInteger", "BigInteger, Identity()")),
        PairError,
        "users.id gives itself its value differently",
        "ec new sql",
    ),
    (
        (NICK, NICK + ', Column("mood", Enum("a", name="mood"))'),
        UsageError,
        'new column users.mood: a column of type mood: type "mood" does not exist',
        "--with users.mood",
    ),
    (
        (VISITED, VISITED.replace('"visits"', '"name"')),
        PairError,
        "users.ix_users_visits changes, and the old one serves until the new one is there",
        "another name than ix_users_visits",
    ),
    (
        (VISITED, VISITED + ', Index("one", func.lower(text("name")), unique=True)'),
        PairError,
        "one is a unique index, which is a rule that old releases can break",
        "ec new sql",
    ),
    (
        (BADGE, BADGE + 'Table("t", metadata, Column("id", Integer, Sequence("s"), primary_key=True))'),
        PairError,
        "t.id draws from sequence public.s, which is not there",
        "CREATE SEQUENCE public.s",
    ),
    (
        (BADGE, BADGE + 'Table("t", metadata, Column("id", Integer, primary_key=True), schema="else where")'),
        PairError,
        "new table else where.t is of a schema that is not there",
        'CREATE SCHEMA "else where"',
    ),
    (
        (TEAM_COLUMN, 'Column("team", sa.Date),\n'),
        UsageError,
        "users.team as DATE: no cast between integer and date is known to be immutable",
        "--with users.team:OPTION=VALUE",
    ),
]


@pytest.mark.parametrize(("edit", "error", "said", "hint"), REFUSED, ids=[*map(str, range(len(REFUSED)))])
def test_refused_by_name(
    edit: tuple[str, str], error: type[UsageError], said: str, hint: str, modelled: Callable[..., Modelled]
) -> None:
    """What no recipe carries is named with what to type, and of the whole run nothing is written."""
    drive = modelled(SETUP, schemas="else where" in edit[1])
    assert edit[0] in AS_IT_IS
    drive.models(AS_IT_IS.replace(*edit).replace('Column("word", Text)', 'Column("word", Text, comment="c")'))
    with pytest.raises(error) as caught:
        drive.auto()
    assert said in caught.value.message
    assert hint in str(caught.value.hint)
    assert [] == drive.pairs()


def test_options_are_the_recipes_own(modelled: Callable[..., Modelled]) -> None:
    """An option that no recipe of that difference takes is refused with those that it takes."""
    drive = modelled(SETUP)
    drive.models(AS_IT_IS.replace(NICK, NICK.replace("String(20)", "String(20), nullable=False")))
    with pytest.raises(UsageError, match=r"set-not-null of users\.nick knows no default, using") as caught:
        drive.auto(more={"users.nick": {"using": "x", "default": "y"}})
    assert "it knows fill" in str(caught.value.hint)


def test_two_drops_and_one_addition(modelled: Callable[..., Modelled]) -> None:
    """A name is given once: what is left without one to take is a drop, and a question only where one is left."""
    drive = modelled(SETUP)
    gone = AS_IT_IS.replace(NICK + ", ", "").replace(TEAM_COLUMN, 'Column("crew", Integer),\n')
    drive.models(gone.replace('UniqueConstraint("name", "nick", name="once"), ', ""))
    with pytest.raises(UndecidedError, match="gone from the models"):
        drive.auto()
    with pytest.raises(UsageError, match=r"users\.(nick|team) cannot become crew"):
        drive.auto(renames={"users.team": "crew", "users.nick": "crew"})
    drive.auto(renames={"users.team": "crew"})
    assert ["users_team_to_crew: mapped", "drop_users_nick: removed"] == drive.pairs()


def test_a_rename_leaves_what_is_more_than_a_rename(modelled: Callable[..., Modelled]) -> None:
    """Type, NULL, other names and new indexes beside a rename are said, and found again by the next run."""
    drive = modelled(SETUP)
    drive.models(
        AS_IT_IS.replace(NICK, 'Column("handle", String(50), index=True)').replace(
            '"nick", name="once"', '"handle", name="one"'
        )
    )
    written = drive.auto(renames={"users.nick": "handle"})
    assert ["models: mapped"] == drive.pairs()
    assert [
        "the models have one, and seal() makes its like under another name: give both the same, here or there",
        "left for the next ec new auto, once the rename is over: index ix_users_handle",
        "left for the next ec new auto, once the rename is over: type of users.handle",
    ] == list(written.notes)


def test_a_table_that_is_renamed_and_changed(modelled: Callable[..., Modelled]) -> None:
    """The rename is written, and that more differs is said."""
    drive = modelled(SETUP)
    changed = USERS.replace('"users", metadata', '"accounts", metadata').replace("ix_users_", "ix_accounts_")
    drive.models(AS_IT_IS.replace(USERS, changed.replace(TEAM_COLUMN, "")).replace('"users.id"', '"accounts.id"'))
    written = drive.auto(renames={"users": "accounts"})
    assert ["models: removed"] == drive.pairs()
    left_over = "left for the next ec new auto, once the rename is over"
    left = [note for note in written.notes if note.startswith("left")]
    assert [
        f"{left_over}: the columns of accounts, which are not those of users",
        f"{left_over}: indexes, which keep their names (ix_accounts_visits, ix_users_visits)",
    ] == left


def test_what_else_changes_of_a_column_waits_for_its_type(modelled: Callable[..., Modelled]) -> None:
    """While a second column stands in for the first nothing else of it changes; the next run finds the rest."""
    drive = modelled(SETUP)
    wider = 'Column("visits", BigInteger, server_default=text("1"))'
    source = AS_IT_IS.replace('Column("visits", Integer, nullable=False, server_default=text("0"))', wider)
    drive.models(source.replace(VISITED, VISITED + ', Index("ix_both", "nick", "visits")'))
    written = drive.auto()
    assert ["users_visits_bigint: swapped"] == drive.pairs()
    waits = "once users_visits_bigint is contracted, which gives visits its new type"
    assert [
        f"left for the next ec new auto, {waits}: {what}"
        for what in ("the default of users.visits", "NULL allowed in users.visits", "index ix_both")
    ] == [note for note in written.notes if note.startswith("left")]
    drive.through()
    drive.auto()
    drive.through()
    drive.check()
    assert 4 == len(drive.pairs())


def test_a_name_that_is_taken(modelled: Callable[..., Modelled]) -> None:
    """The second change of the same default gets a name of its own."""
    drive = modelled(SETUP)
    for number in (1, 2):
        drive.models(AS_IT_IS.replace('server_default=text("0")', f'server_default=text("{number}")'))
        drive.auto("the default")
        drive.through()
    drive.check()
    assert ["the_default: additive", "the_default_2: additive"] == drive.pairs()


def test_a_name_that_was_dropped_comes_back(modelled: Callable[..., Modelled]) -> None:
    """A pair stands on the contract that went before it on its table, in a fresh upgrade too, and can go back."""
    drive = modelled(SETUP)
    without = AS_IT_IS.replace(NICK + ", ", "").replace('UniqueConstraint("name", "nick", name="once"), ', "")
    drive.models(without)
    drive.auto("no nick")
    drive.through()
    drive.models(without.replace(TEAM_COLUMN, TEAM_COLUMN + 'Column("other", Integer),\n'))
    drive.auto("another")
    drive.models(without.replace(TEAM_COLUMN, TEAM_COLUMN + 'Column("other", Integer), Column("nick", Integer),\n'))
    drive.do("advance", ["another"])
    drive.auto("nick again")
    project = Revisions.open(drive.project.directory / "alembic.ini")
    pairs = {pair.name: pair for pair in project.pairs()}
    contract = pairs["no_nick"].contract
    assert contract is not None
    depends = {name: pair.expand.dependencies for name, pair in pairs.items()}
    assert {"no_nick": None, "another": None, "nick_again": contract.revision} == depends
    before = drive.dump()
    drive.do("advance", ["nick_again"])
    drive.do("rollback", ["nick_again"])
    assert before == drive.dump()
    assert [("contracted",)] == drive.project.sql("SELECT expandcontract.phase('no_nick')")
    drive.through()
    drive.check()


ODD_SETUP = """
CREATE SCHEMA "Sales Dept";
CREATE TABLE "Sales Dept"."select" ("order" int PRIMARY KEY, "Who's ""%s"" :x" varchar(30), "to.%" int, "group" text);
CREATE TABLE "Sales Dept"."Old.""one"" x" (id int PRIMARY KEY, "user" int);
INSERT INTO "Sales Dept"."select" SELECT n, 'w' || n, n, 'g' FROM generate_series(1, 30) AS n;
"""
ODD = r"""
select = Table(
    "select", metadata, Column("order", Integer, primary_key=True, autoincrement=False),
    Column("Who's \"%s\" :x", String(30)), Column("to.%", Integer), Column("group", Text), schema="Sales Dept",
)
Table(
    "Old.\"one\" x", metadata, Column("id", Integer, primary_key=True, autoincrement=False), Column("user", Integer),
    schema="Sales Dept",
)
"""
ODD_AFTER = r"""
select = Table(
    "select", metadata, Column("order", Integer, primary_key=True, autoincrement=False),
    Column("Who's \"%s\" :x", String(30), nullable=False, server_default="it's \"100%\" :y"),
    Column("to.%", BigInteger, comment="it's \":to\" %"),
    Column("table", Text, unique=True, index=True, comment="Tabelle :ä %"),
    Column("New \"%\" :n", Text, nullable=False, server_default="':v' %s"),
    CheckConstraint("1 = 1", name="seen by nobody"), UniqueConstraint("order", "Who's \"%s\" :x"), schema="Sales Dept",
)
Index("Ix \"odd\" %s :i", "Who's \"%s\" :x", select.c.order.desc(),
      postgresql_where=select.c["Who's \"%s\" :x"] != "':z' 100%")
Table(
    "Old.\"one\" x", metadata, Column("id", Integer, primary_key=True, autoincrement=False),
    Column("user", Integer, ForeignKey("Sales Dept.select.order", ondelete="SET NULL")), schema="Sales Dept",
)
Table("end", metadata, Column("all", ForeignKey("Sales Dept.select.order"), primary_key=True), schema="Sales Dept",
      comment="%(x)s :c")
"""


def test_names_that_need_quoting(modelled: Callable[..., Modelled]) -> None:
    """Another schema, reserved words, quotes, dots, percent signs and colons: to the end."""
    drive = modelled(ODD_SETUP, schemas=True)
    drive.models(ODD)
    drive.check()
    drive.models(ODD_AFTER)
    more = {'Sales Dept.select.Who\'s "%s" :x': {"fill": "':none'"}}
    separate = ["Sales Dept.select.group"]
    drive.auto(more=more, separate=separate)
    assert 10 == len(drive.pairs())
    drive.well_written()
    drive.through()
    drive.auto("the rest")
    drive.through()
    drive.check()
