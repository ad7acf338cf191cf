"""A wrong expression or a column that cannot be replaced is told before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.fix_project import Project

SPLIT = ("split-column", "users", "full_name", "--into", "first not null=split_part(full_name, ' ', 1)")
SPLIT_BACK = (*SPLIT, "--into", "last=split_part(full_name, ' ', 2)", "--reverse", "first || ' ' || last")


def _files(project: Project) -> int:
    return len(list((project.directory / "migrations" / "versions").glob("*.py")))


def test_new_shows_the_first_rows_that_do_not_come_back(bare: Project) -> None:
    """The key, the value, what it gives and what that gives back; no file is written."""
    bare.sql("UPDATE users SET full_name = 'Ada King Byron' WHERE id = 7")
    said = bare.ec("new", *SPLIT_BACK, expect=2)
    assert "does not lead back for 1 of all 5000 rows" in said
    assert "id '7': full_name 'Ada King Byron' gives first 'Ada', last 'King', and that gives back" in said
    assert "--lossy" in said
    assert 1 == _files(bare)


def test_a_mapping_declared_lossy_is_written_and_says_so(bare: Project) -> None:
    """What is lost is counted, and stands in the file."""
    bare.sql("UPDATE users SET full_name = 'Ada King Byron' WHERE id = 7")
    said = bare.ec("new", *SPLIT_BACK, "--lossy")
    assert "lossy: 1 of all 5000 rows" in " ".join(said.split())
    assert "lossy=True" in next((bare.directory / "migrations" / "versions").glob("*_expand.py")).read_text("utf-8")


def test_rows_that_came_since_close_the_gate_of_the_expand(bare: Project) -> None:
    """The pair was right when it was written; what the rows say before the expand counts."""
    bare.ec("new", *SPLIT_BACK, "--name", "names")
    bare.sql("INSERT INTO users (full_name) VALUES ('Ada King Byron')")
    said = bare.ec("gate", "names", "expand", expect=3)
    assert "does not lead back for 1 of all 5001 rows" in " ".join(said.split())
    said = bare.ec("advance", "names", expect=3)
    assert "Ada King Byron" in said
    assert "planned" == bare.phase("names") or bare.phase("names") == "None"
    assert [] == bare.sql("SELECT attname FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'first'")


@pytest.mark.parametrize(
    ("using", "reason"),
    [
        ("visits::", "syntax error"),
        ("visits + random()::int", "it is volatile"),
        ("visits); DROP TABLE users; SELECT (1", "is not one expression"),
        ("100 / visits", "cannot be computed for 1 of all 5000 rows: id '9': visits '0' fails: division by zero"),
    ],
)
def test_new_refuses_a_wrong_using(bare: Project, using: str, reason: str) -> None:
    """What does not parse, is volatile, is more than one statement, or fails on real rows."""
    bare.sql("UPDATE users SET visits = 10; UPDATE users SET visits = 0 WHERE id = 9")
    said = bare.ec(
        "new", "change-type", "users", "visits", "bigint", "--using", using, "--reverse", "visits_bigint::int", expect=2
    )
    assert reason in " ".join(said.split())
    assert 1 == _files(bare)
    assert [(5000,)] == bare.sql("SELECT count(*) FROM users")


@pytest.mark.parametrize(
    ("setup", "arguments", "reason"),
    [
        (
            "ALTER TABLE users ADD twice int GENERATED ALWAYS AS (visits * 2) STORED",
            ("change-type", "users", "visits", "bigint"),
            "the generated column twice reads visits",
        ),
        ("SELECT 1", ("rename-column", "users", "id", "number"), "id is in the primary key users_pkey"),
        (
            "CREATE TABLE child () INHERITS (users)",
            ("rename-column", "users", "nick", "alias"),
            "child inherits from users, and the triggers of one do not fire for the other",
        ),
        (
            (
                "CREATE TABLE p (day date, n int) PARTITION BY RANGE (day);"
                "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')"
            ),
            ("rename-column", "p", "day", "date"),
            "day is in the partition key of p",
        ),
        (
            (
                "CREATE TABLE p (day date, n int) PARTITION BY RANGE (day);"
                "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')"
            ),
            ("rename-column", "p1", "n", "m"),
            "public.p1 is a partition of p",
        ),
        (
            (
                "ALTER TABLE users ADD code int NOT NULL DEFAULT 1, ADD UNIQUE (code, id);"
                "ALTER TABLE users REPLICA IDENTITY USING INDEX users_code_id_key"
            ),
            ("rename-column", "users", "code", "number"),
            "index users_code_id_key, the replica identity of users, has code",
        ),
        (
            "ALTER TABLE users ADD CHECK (length(nick) > 0)",
            (
                "change-type",
                "users",
                "nick",
                "int",
                "--using",
                "substr(nick, 2)::int",
                "--reverse",
                "'n' || nick_integer",
            ),
            "stands in the way of nick to integer: function length(integer) does not exist",
        ),
        (
            (
                "CREATE TABLE child (user_nick text); ALTER TABLE users ADD UNIQUE (nick);"
                "ALTER TABLE child ADD CONSTRAINT of_user FOREIGN KEY (user_nick) REFERENCES users (nick)"
            ),
            (
                "change-type",
                "users",
                "nick",
                "int",
                "--using",
                "substr(nick, 2)::int",
                "--reverse",
                "'n' || nick_integer",
            ),
            "foreign key of_user from child to users cannot have such types",
        ),
        (
            "CREATE VIEW nicks AS SELECT nick FROM users",
            ("change-type", "users", "nick", "varchar"),
            "while there is view nicks",
        ),
        (
            "SELECT 1",
            ("change-type", "users", "nick", "varchar(20)"),
            "no cast between text and character varying(20) is known",
        ),
        ("SELECT 1", ("change-type", "users", "nick", "nosuchtype"), 'type "nosuchtype" does not exist'),
        ("SELECT 1", ("change-type", "users", "nick", "int) ; DROP TABLE users; --"), "is no type"),
        (
            (
                "CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TABLE users ADD mood mood;"
                "CREATE FUNCTION of(mood) RETURNS int IMMUTABLE RETURN 1"
            ),
            ("change-enum", "mood", "--rename", "ok=fine"),
            "mood is used by more than columns of tables, and could not be dropped: function of(mood)",
        ),
        (
            "CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TABLE users ADD mood mood DEFAULT 'ok'",
            ("change-enum", "mood", "--remove", "ok"),
            "does not lead back for 5000 of all 5000 rows",
        ),
        (
            (
                "CREATE TYPE mood AS ENUM ('sad', 'ok'); ALTER TABLE users ADD mood mood;"
                "CREATE INDEX ON users (id) WHERE mood = 'sad'"
            ),
            ("change-enum", "mood", "--remove", "sad"),
            "says 'sad', which is removed",
        ),
    ],
)
def test_new_refuses_what_cannot_be_replaced(
    bare: Project, setup: str, arguments: tuple[str, ...], reason: str
) -> None:
    """The reason is told, and nothing is written."""
    bare.sql(setup)
    assert reason in " ".join(bare.ec("new", *arguments, expect=2).split())
    assert 1 == _files(bare)


def test_new_names_what_has_to_be_seen_to_before_the_contract(bare: Project) -> None:
    """Views, policies, triggers, publications and statistics that name the column."""
    bare.sql("CREATE VIEW nicks AS SELECT nick FROM users; CREATE POLICY own ON users USING (nick = current_user)")
    bare.sql("CREATE STATISTICS of_both ON nick, full_name FROM users")
    bare.sql("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
    bare.sql("CREATE TRIGGER watch BEFORE UPDATE OF nick ON users FOR EACH ROW EXECUTE FUNCTION f()")
    said = " ".join(bare.ec("new", "rename-column", "users", "nick", "alias").split())
    for what in (
        "view nicks",
        "policy own on table users",
        "trigger watch on table users",
        "statistics public.of_both",
    ):
        assert what in said


def test_rolling_back_after_cut_over_counts_what_a_lossy_mapping_cannot_restore(bare: Project) -> None:
    """The rows on which the new column tells more than the old one are counted and the first of them named."""
    lossy = ("--using", "visits / 100.0", "--reverse", "(hundreds * 100)::int", "--to", "hundreds", "--lossy")
    bare.sql("UPDATE users SET visits = id")
    bare.ec("new", "change-type", "users", "visits", "numeric(12,5)", *lossy, "--name", "visits")
    bare.ec("advance", "visits")
    bare.ec("advance", "visits", "--by", "database")
    bare.ec("advance", "visits")
    bare.ec("advance", "visits", "--release", "v3")
    bare.sql("UPDATE users SET hundreds = 1.23456 WHERE id IN (5, 6, 7); UPDATE users SET hundreds = 2.5 WHERE id = 8")
    assert [(123,), (250,)] == bare.sql("SELECT visits FROM users WHERE id IN (5, 8) ORDER BY id")
    said = " ".join(bare.ec("rollback", "visits").split())
    assert "3 rows of users.hundreds tell more than users.visits can give again, first: users id=" in said
    assert "backfilled" == bare.phase("visits")
