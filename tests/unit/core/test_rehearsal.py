"""What was foretold beside what was seen."""

from __future__ import annotations

from datetime import timedelta

import pytest

from expandcontract.core.effect import Effect, Lock, LockMode
from expandcontract.core.rehearsal import NOT_PLANNED, NOT_RUN, UNKNOWN, Ran, compared, key

ADD = "ALTER TABLE users ADD COLUMN a int"
ON_USERS = (Lock(relation="public.users", mode=LockMode.ACCESS_EXCLUSIVE),)
WEAK = (Lock(relation="public.users", mode=LockMode.ROW_EXCLUSIVE),)
SECOND = timedelta(seconds=1)


def ran(
    sql: str,
    locks: tuple[Lock, ...] = (),
    *,
    held: tuple[Lock, ...] = (),
    parts: tuple[str, ...] = (),
    rows: bool = False,
) -> Ran:
    """A statement that took a second."""
    effect = Effect(statement=sql, form="observed", locks=locks)
    return Ran(effect=effect, held=held, took=SECOND, kept=SECOND, parts=parts or (sql,), of_rows=rows)


def plan(sql: str, locks: tuple[Lock, ...] = (), form: str = "add column nullable") -> Effect:
    """What was foretold."""
    return Effect(statement=sql, form=form, locks=locks)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("ALTER TABLE a\n  ADD b int", "ALTER TABLE a ADD b int;"),
        ("SELECT expandcontract.end_change(CAST('x' AS text))", "SELECT expandcontract.end_change(CAST(NULL AS text))"),
        ("COMMENT ON TABLE a IS '100%'", "COMMENT ON TABLE a IS '100%%'"),
        ("DROP TABLE a", "-- it is not used\nDROP TABLE a"),
    ],
)
def test_a_statement_is_known_by_what_it_does(written: str, sent: str) -> None:
    """White space, comments, and values that are sent apart make no other statement of it."""
    assert key(written) == key(sent)


def test_statements_differ_by_their_words() -> None:
    """Another name is another statement."""
    assert key("DROP TABLE a") != key("DROP TABLE b")


def test_nothing_differs_where_all_was_foretold() -> None:
    """The line has both sides and no difference."""
    (line,) = compared([plan(ADD, ON_USERS)], [ran(ADD, ON_USERS)])
    assert ((), ADD) == (line.differences, line.statement)
    assert line.foretold is not None
    assert line.ran is not None


def test_a_lock_that_was_held_shows_nowhere_again() -> None:
    """What an earlier statement of the transaction has locked is no difference."""
    (line,) = compared([plan(ADD, ON_USERS)], [ran(ADD, held=ON_USERS)])
    assert () == line.differences


def test_a_stronger_lock_differs() -> None:
    """It is said which, in words."""
    (line,) = compared([plan(ADD, WEAK)], [ran(ADD, ON_USERS)])
    assert ("public.users: ROW EXCLUSIVE was foretold, ACCESS EXCLUSIVE was taken",) == line.differences


def test_what_was_not_planned_differs() -> None:
    """A statement that the plan does not have, and one that was not run, are both told, the latter last."""
    lines = compared([plan("DROP TABLE a")], [ran(ADD, ON_USERS)])
    assert [(ADD, (NOT_PLANNED,)), ("DROP TABLE a", (NOT_RUN,))] == [(x.statement, x.differences) for x in lines]


def test_a_form_that_is_not_known_differs() -> None:
    """A plan that did not know is no plan."""
    (line,) = compared([plan(ADD, form="unknown")], [ran(ADD)])
    assert (UNKNOWN,) == line.differences


def test_books_are_left_out() -> None:
    """What only writes rows, on either side, is told only where the other side has it."""
    insert = "INSERT INTO alembic_version VALUES ('a')"
    assert () == compared([plan(insert, WEAK, "insert")], [ran("UPDATE alembic_version SET a = 1", WEAK, rows=True)])
    assert 1 == len(compared([plan(insert, WEAK, "insert")], [ran(insert, WEAK, rows=True)]))


def test_rows_that_lock_much_are_told() -> None:
    """A query that stops others is never left out."""
    lines = compared([], [ran("SELECT f()", ON_USERS, rows=True)])
    assert [(NOT_PLANNED,)] == [line.differences for line in lines]


def test_the_way_back_is_told_and_not_compared() -> None:
    """Without a plan there is nothing to differ from."""
    (line,) = compared(None, [ran(ADD, ON_USERS)])
    assert (None, ()) == (line.foretold, line.differences)


def test_several_statements_sent_at_once_are_foretold_together() -> None:
    """Each part is looked for, and the effects are joined; a part that is missing makes the whole unplanned."""
    drop = "ALTER TABLE users DROP COLUMN b"
    both = f"{ADD}; {drop}"
    foretold = [plan(drop, ON_USERS, "drop column"), plan(ADD, WEAK)]
    (line,) = compared(foretold, [ran(both, ON_USERS, parts=(ADD, drop))])
    assert (both, ()) == (line.statement, line.differences)
    lines = compared(foretold[:1], [ran(both, ON_USERS, parts=(ADD, drop))])
    assert [(NOT_PLANNED,), (NOT_RUN,)] == [line.differences for line in lines]


def test_a_statement_that_runs_twice_is_planned_twice() -> None:
    """Each run takes one line of the plan."""
    assert [(), (NOT_PLANNED,)] == [x.differences for x in compared([plan(ADD)], [ran(ADD), ran(ADD)])]
