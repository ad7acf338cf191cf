"""Who is in the way, in words, and what may be done about him."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.core.blocker import Blocker, Kind
from expandcontract.core.conflict import catalogue_name, conflicting, from_catalogue
from expandcontract.core.effect import LockMode
from expandcontract.core.masked import LONGEST, masked

ROLES = {"app_blue": "blue"}
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SLEEPER = Blocker(
    pid=4711,
    relation="public.users",
    mode="AccessShareLock",
    role="app_blue",
    application="shop@blue",
    address="10.0.0.7",
    state="idle in transaction",
    age=2 * HOUR,
    quiet=HOUR,
    query="SELECT ?",
)
READER = Blocker(pid=12, relation="users", mode="AccessShareLock", role="bob", state="active", age=5 * SECOND)
VACUUM = Blocker(pid=13, kind=Kind.AUTOVACUUM, relation="users", mode="ShareUpdateExclusiveLock", age=SECOND)
FREEZE = Blocker(pid=14, kind=Kind.WRAPAROUND, relation="users", mode="ShareUpdateExclusiveLock", query="autovacuum: x")
PREPARED = Blocker(
    pid=None, kind=Kind.PREPARED, relation="users", mode="RowExclusiveLock", role="bob", application="o'k"
)
HIDDEN = Blocker(pid=15)


def test_all_is_told() -> None:
    """A session is named by backend, role, color, application, address, lock, state, age and query."""
    assert (
        "backend 4711 of app_blue (blue) 'shop@blue' from 10.0.0.7, holds AccessShareLock on public.users, "
        "idle in transaction, transaction open for 2h, query: SELECT ?"
    ) == SLEEPER.told(ROLES)


@pytest.mark.parametrize(
    ("blocker", "words"),
    [
        (VACUUM, "backend 13, an autovacuum, holds ShareUpdateExclusiveLock on users, transaction open for 1s"),
        (FREEZE, "backend 14, an autovacuum to prevent wraparound, holds ShareUpdateExclusiveLock on users, query: au"),
        (PREPARED, 'prepared transaction "o\'k" of bob, holds RowExclusiveLock on users'),
        (HIDDEN, "backend 15 of an unknown role, holds an old snapshot"),
    ],
)
def test_each_kind_is_told(blocker: Blocker, words: str) -> None:
    """What is not a session, or may not be seen, is told as far as it is known."""
    assert blocker.told(ROLES).startswith(words)


@pytest.mark.parametrize(
    ("blocker", "advice"),
    [
        (SLEEPER, "ec advance x --terminate-idle, or end its transaction and run ec advance x"),
        (READER, "wait for it or SELECT pg_cancel_backend(12), then ec advance x"),
        (FREEZE, "let it finish, it does not give way and must not be ended lightly; then ec advance x"),
        (PREPARED, "COMMIT PREPARED 'o''k' or ROLLBACK PREPARED 'o''k', then ec advance x"),
    ],
)
def test_what_to_type(blocker: Blocker, advice: str) -> None:
    """Each kind has its own remedy; the flag is offered only where it would do something."""
    assert advice == blocker.advice(ROLES, "ec advance x")


def test_without_a_command() -> None:
    """Where nobody typed anything, the remedy says so and offers no flag."""
    assert SLEEPER.advice(ROLES, "") == "wait for it or SELECT pg_terminate_backend(4711), then try again"


@pytest.mark.parametrize(
    ("blocker", "may"),
    [
        (SLEEPER, True),
        (Blocker(pid=1, role="bob", state="idle in transaction", quiet=HOUR), False),
        (Blocker(pid=1, role="app_blue", state="active", quiet=HOUR), False),
        (Blocker(pid=1, role="app_blue", state="idle in transaction", quiet=SECOND / 2), False),
        (Blocker(pid=1, role="app_blue", state="idle in transaction"), False),
        (Blocker(pid=None, kind=Kind.PREPARED, role="app_blue", state="idle in transaction", quiet=HOUR), False),
    ],
)
def test_who_may_be_ended(blocker: Blocker, may: bool) -> None:  # noqa: FBT001
    """Only an application's session that sleeps in its transaction may be ended."""
    assert may is blocker.may_end(ROLES)


@pytest.mark.parametrize(
    ("blocker", "holds_up"), [(SLEEPER, True), (READER, False), (VACUUM, False), (FREEZE, True), (PREPARED, True)]
)
def test_what_a_build_waits_for_first(blocker: Blocker, holds_up: bool) -> None:  # noqa: FBT001
    """A build does not start beside a sleeper or what has no end of its own; a short query is no hindrance."""
    assert holds_up is blocker.holds_up_build(timedelta(minutes=1))
    assert blocker.holds_up_build(SECOND / 2) is (blocker is not VACUUM)
    assert not HIDDEN.holds_up_build(SECOND)


def test_the_document() -> None:
    """As JSON a blocker has the same facts, lengths in seconds, and null where nothing is known."""
    found = SLEEPER.document(ROLES)
    assert (4711, "blue", 7200.0, "session") == (found["pid"], found["color"], found["age_s"], found["kind"])
    empty = HIDDEN.document(ROLES)
    assert {"pid": 15, "kind": "session"} == {key: value for key, value in empty.items() if value is not None}


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELECT * FROM users WHERE id = 17", "SELECT * FROM users WHERE id = ?"),
        ("SELECT  'it''s',\n E'a\\'b', 1.5e-3, .5, 0xFF FROM t1", "SELECT ?, ?, ?, ?, ? FROM t1"),
        ('SELECT "Q1 \'x\'", $1 FROM "a""b2"', 'SELECT "Q1 \'x\'", $1 FROM "a""b2"'),
        ("SELECT $$secret$$, $tag$ 'x' $$ $tag$, U&'d\\0061' -- pin 1234\n, B'101'", "SELECT ?, ?, ? , ?"),
        ("/* key=1 */ UPDATE t SET a = -5", "UPDATE t SET a = -?"),
        ("INSERT INTO t VALUES ('cut off in the mid", "INSERT INTO t VALUES (?"),
        ("SELECT $q$cut 'off", "SELECT ?"),
        ("SELECT E'cut \\", "SELECT ?"),
        ("SELECT 1 /* cut", "SELECT ?"),
    ],
)
def test_masked(query: str, shown: str) -> None:
    """Strings, numbers and comments go; names, parameters and the statement's shape stay."""
    assert shown == masked(query)


def test_masked_is_short() -> None:
    """A long query is cut, with a sign that it was."""
    assert LONGEST == len(masked("SELECT a" + ", a" * 500))
    assert masked("SELECT a" + ", a" * 500).endswith("…")


@given(st.text(alphabet="ab'\\$\" e-/*1\n", max_size=30), st.text(alphabet="ab'\\$\" e-/*1\n", max_size=30))
def test_no_value_is_shown(before: str, secret: str) -> None:
    """Whatever a string holds and however it is quoted, none of it is shown."""
    hidden = secret.replace("'", "''") + "zebra"
    assert "zebra" not in masked(f"SELECT '{hidden}', 17")
    dollar = secret.replace("$", "") + "zebra"
    assert "zebra" not in masked(f"SELECT $x${dollar}$x$")
    masked(before)


def test_conflicts_are_mutual() -> None:
    """If one mode excludes another, so does the other the one; the strongest excludes all."""
    for mode in LockMode:
        assert mode is from_catalogue(catalogue_name(mode))
        for other in LockMode:
            assert (other in conflicting(mode)) is (mode in conflicting(other))
    assert tuple(LockMode) == conflicting(LockMode.ACCESS_EXCLUSIVE)
    assert from_catalogue("ExclusiveLock") is LockMode.EXCLUSIVE
    assert from_catalogue("SIReadLock") is None
