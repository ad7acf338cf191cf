"""Parity compares as the triggers do: by a type's own equality, and by text where that is none or says too much."""

from __future__ import annotations

import psycopg
import pytest

from expandcontract.backfill import parity, statement
from expandcontract.backfill.comparison import comparable
from expandcontract.core.mapping import Mapping
from expandcontract.pg.connect import connect, parse

PLAIN = Mapping("t", forward={"new": "old"}, reverse={"old": "new"})
SETUP = """
CREATE TYPE pair AS (a int, b json);
CREATE DOMAIN amount AS numeric(9, 3);
"""
SAME = [
    ("numeric", "2.5", "2.50"),
    ("numeric[]", "{2.5,NULL}", "{2.50,NULL}"),
    ("amount", "2.5", "2.50"),
    ("float8", "NaN", "nan"),
    ("float8", "-0", "0"),
    ("char(4)", "a", "a  "),
    ("timestamptz", "2026-01-01 12:00+00", "2026-01-01 14:00+02"),
    ("jsonb", '{"a": 1.0}', '{"a": 1.00}'),
    ("text", "Bob", "Bob"),
    ("json", '{"a":1}', '{"a":1}'),
    ("point", "(1,2)", "(1.0,2)"),
    ("point[]", "{(1\\,2)}", "{(1\\,2)}"),
    ("pair", '(1,"[1]")', '(1,"[1]")'),
]
OTHER = [
    ("numeric", "2.5", "2.51"),
    ("numeric[]", "{2.5}", "{2.5,NULL}"),
    ("float8", "NaN", "0"),
    ("char(4)", "a", "b"),
    ("timestamptz", "2026-01-01 12:00+00", "2026-01-01 12:00+02"),
    ("text", "Bob", "bob"),
    ("interval", "1 day", "24:00:00"),
    ("json", '{"a":1}', '{"a":2}'),
    ("point", "(1,2)", "(2,1)"),
    ("pair", '(1,"[1]")', '(1,"[2]")'),
]


def differing(database: str, kind: str, old: str, new: str, mapping: Mapping = PLAIN, *, other: str = "") -> int:
    """How many of one row with these values differ."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(SETUP + f"CREATE TABLE t (id int PRIMARY KEY, old {kind}, new {other or kind})")
        connection.execute("INSERT INTO t VALUES (1, %s, %s)", (old, new))
    return parity.count(parse(database), "x", mapping)


@pytest.mark.parametrize(("kind", "old", "new"), SAME)
def test_the_same_value_is_the_same(ledger_database: str, kind: str, old: str, new: str) -> None:
    """However it is spelled; also where the type has no equality and the text is the same."""
    assert 0 == differing(ledger_database, kind, old, new)


@pytest.mark.parametrize(("kind", "old", "new"), OTHER)
def test_another_value_is_another(ledger_database: str, kind: str, old: str, new: str) -> None:
    """Also where the type's own operator would take it for equal."""
    assert 1 == differing(ledger_database, kind, old, new)


@pytest.mark.parametrize(("old", "new", "rows"), [("7", "7", 0), ("7", "8", 1), (None, None, 0), (None, "0", 1)])
def test_a_converted_value_is_compared_as_it_is_stored(ledger_database: str, old: str, new: str, rows: int) -> None:
    """An expression of another type than its column is compared by text, and NULL is a value like others."""
    assert rows == differing(ledger_database, "int", old, new, other="text")


def test_a_percent_sign_and_names_that_need_quotes(ledger_database: str) -> None:
    """The types are asked for with the same spelling as the rows."""
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute('CREATE TABLE "T %" ("Old %" numeric, "New %" numeric)')
        connection.execute('INSERT INTO "T %" VALUES (102.5, 2.50)')
        mapping = Mapping("T %", forward={"New %": '"Old %" % 100'}, reverse={"Old %": '"New %"'})
        assert {"New %", "Old %"} == comparable(connection, mapping)
    assert 0 == parity.count(parse(ledger_database), "x", mapping)


def test_the_triggers_see_what_parity_sees(ledger_database: str) -> None:
    """A type of whose values two are equal and not the same is compared as text by both."""
    with psycopg.connect(ledger_database, autocommit=True) as connection:
        connection.execute(SETUP + "CREATE TABLE t (old interval, new interval)")
        assert frozenset() == comparable(connection, PLAIN)
    with connect(parse(ledger_database), command="test") as ledger:
        cast = ledger.exec_driver_sql("SELECT expandcontract.comparable('t', 'old')").scalar_one()
    assert "::text" == cast
    assert "::text" in statement.differs(PLAIN).as_string()
