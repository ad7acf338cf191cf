"""Models change, ``ec new auto`` writes the pairs, and they are taken to their end: then nothing differs any more.

Each case is driven with a statement of the old release in every phase; at the end the schema is the one of a fresh
upgrade, and ``alembic check`` is clean.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fix_models import Modelled

pytestmark = pytest.mark.slow
SETUP = """
CREATE TABLE team (id int PRIMARY KEY, code int NOT NULL UNIQUE);
INSERT INTO team SELECT n, n FROM generate_series(1, 9) AS n;
CREATE TABLE users (
    id bigserial PRIMARY KEY, name text NOT NULL, nick varchar(20), visits int NOT NULL DEFAULT 0, team int,
    CONSTRAINT once UNIQUE (name, nick)
);
CREATE INDEX ix_users_visits ON users (visits);
INSERT INTO users (name, nick, visits, team) SELECT 'User ' || n, 'n' || n, n, n % 9 + 1 FROM generate_series(1, 50) n;
CREATE TABLE badge (id int PRIMARY KEY, owner bigint CONSTRAINT badge_owner_fkey REFERENCES users, word text, crew int);
CREATE INDEX badge_word ON badge (word);
"""
TEAM = """
Table("team", metadata, Column("id", Integer, primary_key=True), Column("code", Integer, nullable=False, unique=True))
"""
USERS = """
users = Table(
    "users", metadata, Column("id", BigInteger, primary_key=True), Column("name", Text, nullable=False),
    Column("nick", String(20)), Column("visits", Integer, nullable=False, server_default=text("0")),
    Column("team", Integer),
    UniqueConstraint("name", "nick", name="once"), Index("ix_users_visits", "visits"),
)
"""
BADGE = """
Table(
    "badge", metadata, Column("id", Integer, primary_key=True), Column("owner", ForeignKey("users.id")),
    Column("word", Text), Index("badge_word", "word"), Column("crew", Integer),
)
"""
AS_IT_IS = TEAM + USERS + BADGE
OLD = ("INSERT INTO users (name, visits) VALUES ('old ' || %(n)s::text, 3)", "SELECT name, visits FROM users")


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One edit of the models.

    Attributes:
        name: The test's.
        edits: What is replaced in the models, and by what.
        pairs: The changes that it gives, each with its kind.
        answers: Of ``ec new auto``.
        more: Added to the models.
        old: Statements of the old release.
        later: What the run leaves for the next one.
        lint: Codes of what ``ec lint`` says of the recipe's own statements.
        mend: A statement that makes the rows ready for that.
    """

    name: str
    edits: tuple[tuple[str, str], ...]
    pairs: tuple[str, ...]
    answers: dict[str, Any] = field(default_factory=dict)
    more: str = ""
    old: tuple[str, ...] = OLD
    later: tuple[str, ...] = ()
    lint: tuple[str, ...] = ()
    mend: str = "SELECT 1"

    @property
    def models(self) -> str:
        """The models afterwards."""
        source = AS_IT_IS
        for old, new in self.edits:
            assert old in source
            source = source.replace(old, new)
        return source + self.more


TEAM_COLUMN = 'Column("team", Integer),\n'
EDITS = [
    Edit(
        name="add_columns",
        edits=(
            (
                TEAM_COLUMN,
                TEAM_COLUMN + 'Column("email", Text, comment="where \\"they\\" are"), Column("state", String(9), '
                'nullable=False, server_default="it\'s new"), Column("token", sa.Uuid, nullable=False, '
                "server_default=func.gen_random_uuid()),\n",
            ),
        ),
        pairs=("users_email: additive", "users_state: additive", "users_token: filled"),
    ),
    Edit(
        name="a_column_with_all_that_is_on_it",
        edits=(
            (
                TEAM_COLUMN,
                TEAM_COLUMN + 'Column("email", Text, CheckConstraint("email LIKE \'%@%\'"), unique=True, index=True), '
                'Column("boss", ForeignKey("users.id", ondelete="SET NULL")), UniqueConstraint("email", "boss"), '
                'Index("ix_low", func.lower(text("email")), postgresql_where=text(r"email <> \'\\:x %\'")),\n',
            ),
        ),
        pairs=("users_email: filled", "users_boss: filled"),
    ),
    Edit(
        name="a_filled_column_with_a_default",
        edits=((TEAM_COLUMN, TEAM_COLUMN + 'Column("slug", Text, nullable=False, server_default="", unique=True),\n'),),
        answers={"more": {"users.slug": {"fill": "lower(name)"}}},
        pairs=("users_slug: filled",),
        mend="UPDATE users SET slug = id::text",
        later=("unique constraint over users (slug), a rule that rows of the running release could break with",),
    ),
    Edit(
        name="drop_columns",
        edits=(
            (TEAM_COLUMN, ""),
            ('Column("nick", String(20)), ', ""),
            ('UniqueConstraint("name", "nick", name="once"), ', ""),
        ),
        pairs=("drop_users_nick: removed", "drop_users_team: removed"),
    ),
    Edit(
        name="rename_column",
        edits=(
            ('Column("nick", String(20))', 'Column("handle", String(20))'),
            ('"name", "nick", name="once"', '"name", "handle", name="once_handle"'),
        ),
        answers={"renames": {"users.nick": "handle"}},
        pairs=("users_nick_to_handle: mapped",),
    ),
    Edit(
        name="type_in_place",
        edits=(('Column("nick", String(20))', 'Column("nick", String(50), nullable=False, comment="short")'),),
        answers={"more": {"users.nick": {"fill": "'n' || id"}}},
        pairs=(
            "users_nick_character_varying_50: additive",
            "users_nick_not_null: tightened",
            "comment_of_users_nick: additive",
        ),
    ),
    Edit(
        name="type_beside",
        edits=(
            (
                'Column("visits", Integer, nullable=False, server_default=text("0"))',
                'Column("visits", BigInteger, nullable=False, server_default=text("0"))',
            ),
        ),
        pairs=("users_visits_bigint: swapped",),
    ),
    Edit(
        name="not_null",
        edits=(
            ('Column("name", Text, nullable=False)', 'Column("name", Text)'),
            ('Column("nick", String(20))', 'Column("nick", String(20), nullable=False)'),
        ),
        answers={"more": {"users.nick": {"fill": "'n' || id"}}},
        pairs=("users_name_nullable: additive", "users_nick_not_null: tightened"),
    ),
    Edit(
        name="defaults",
        edits=(
            (', server_default=text("0")', ""),
            ('Column("nick", String(20))', 'Column("nick", String(20), server_default="it\'s :none %")'),
        ),
        pairs=("users_nick_default: additive", "users_visits_default: removed"),
    ),
    Edit(
        name="indexes",
        edits=(
            (
                'Index("ix_users_visits", "visits"),',
                'Index("ix_plain", "name", "team"), Index("ix_hash", "nick", postgresql_using="hash"),',
            ),
        ),
        more="""
Index("Odd ix %s", func.lower(users.c.name), users.c.id.desc(), postgresql_where=users.c.nick != "100% :x",
      postgresql_include=["visits"])
Index("ix_classes", "name", postgresql_ops={"name": "text_pattern_ops"}, _table=users)
""",
        pairs=(
            "drop_ix_users_visits: removed",
            "odd_ix__s: filled",
            "ix_classes: filled",
            "ix_hash: filled",
            "ix_plain: filled",
        ),
    ),
    Edit(
        name="rules",
        edits=(
            (TEAM_COLUMN, 'Column("team", ForeignKey("team.code", ondelete="CASCADE", onupdate="CASCADE")),\n'),
            (
                'UniqueConstraint("name", "nick", name="once")',
                'UniqueConstraint("name", "team", postgresql_include=["nick"])',
            ),
            ('ForeignKey("users.id")', "BigInteger"),
        ),
        pairs=(
            "drop_badge_owner_fkey: additive",
            "drop_once: removed",
            "users_name_team_unique: tightened",
            "users_team_fkey: tightened",
        ),
    ),
    Edit(
        name="tables_that_come",
        edits=(),
        more="""
mood = Enum("it's :a %", "b", name="Mood %")
Table(
    "parent", metadata, Column("id", Integer, Identity(), primary_key=True), Column("child", Integer),
    Column("mood", mood, nullable=False, server_default="b"), Column("at", sa.DateTime(timezone=True), index=True),
    ForeignKeyConstraint(["child"], ["child.id"], name="to_child", use_alter=True), comment="100% :x",
)
Table(
    "child", metadata, Column("id", Integer, primary_key=True), Column("parent", ForeignKey("parent.id"), unique=True),
    Column("of", ForeignKey("users.id"), index=True), Column("mood", mood),
    Column("twice", Integer, Computed("id * 2")),
    CheckConstraint("id > 0", name="positive"),
)
""",
        pairs=("new_tables_parent__child: additive",),
    ),
    Edit(
        name="a_new_table_that_old_ones_refer_to",
        edits=(
            (TEAM_COLUMN, TEAM_COLUMN + 'Column("crew", ForeignKey("crew.id")),\n'),
            ('Column("crew", Integer)', 'Column("crew", ForeignKey("crew.id"))'),
        ),
        more='Table("crew", metadata, Column("id", Integer, primary_key=True))\n',
        pairs=("new_table_crew: additive", "users_crew: filled"),
        later=("foreign key of badge (crew) to crew, which has to be there before",),
    ),
    Edit(
        name="drop_table",
        edits=((BADGE, ""),),
        pairs=("drop_badge: removed",),
    ),
    Edit(
        name="drop_table_that_is_referred_to",
        edits=((USERS, ""), ('ForeignKey("users.id")', "BigInteger")),
        pairs=("drop_badge_owner_fkey: additive", "drop_users: removed"),
    ),
    Edit(
        name="rename_table",
        edits=(('"users", metadata', '"accounts", metadata'), ('"users.id"', '"accounts.id"')),
        answers={"renames": {"users": "accounts"}},
        pairs=("users_to_accounts: removed",),
    ),
    Edit(
        name="comments",
        edits=(
            (
                'Column("name", Text, nullable=False)',
                'Column("name", Text, nullable=False, comment="it\'s \\"%s\\" :x")',
            ),
            ('Index("ix_users_visits", "visits"),', 'Index("ix_users_visits", "visits"), comment="people",'),
        ),
        pairs=("comments: additive",),
    ),
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_to_the_end(edit: Edit, modelled: Callable[..., Modelled]) -> None:
    """The expected pairs are written; driven to their end, models, database and a fresh upgrade agree."""
    drive = modelled(SETUP)
    drive.models(AS_IT_IS)
    drive.check()
    drive.case = replace(drive.case, old=edit.old)
    drive.models(edit.models)
    written = drive.auto("what the models say", **edit.answers)
    names = ("what_the_models_say: " + edit.pairs[0].split(": ")[1],) if len(edit.pairs) == 1 else edit.pairs
    assert list(names) == drive.pairs()
    left = [note for note in written.notes if note.startswith("left for the next")]
    assert len(edit.later) == len(left)
    for wanted, note in zip(edit.later, left, strict=True):
        assert wanted in note
    drive.well_written(*edit.lint)
    drive.through()
    if edit.later:
        drive.project.sql(edit.mend)
        drive.case = replace(drive.case, old=())
        drive.auto("the rest")
        drive.through()
    drive.check()
