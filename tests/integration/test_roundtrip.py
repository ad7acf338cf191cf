"""A wrong mapping is found on the rows that there are, before anything is changed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from expandcontract.core.mapping import Mapping
from expandcontract.errors import MappingError
from expandcontract.pg.connect import connect, parse
from expandcontract.pg.expression import check_mapping
from expandcontract.pg.roundtrip import SAMPLE, round_trip

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

PEOPLE = """
CREATE TABLE people (id int PRIMARY KEY, name text, code text, data json, "a1" text);
INSERT INTO people (id, name, code, data)
SELECT n, CASE WHEN n = 7 THEN 'Ada King Byron' ELSE 'Ada Byron' END, CASE WHEN n = 9 THEN 'x9' ELSE n::text END,
       '{"b": 1,  "a": 2}' FROM generate_series(1, 100) AS n;
"""
SPLIT = Mapping(
    "people",
    forward={"first": "split_part(name, ' ', 1)", "last": "split_part(name, ' ', 2)"},
    reverse={"name": "first || ' ' || last"},
)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """On a database with a few people."""
    with connect(parse(database), command="test") as found:
        found.execute(text(PEOPLE.replace(":", "\\:")))
        found.commit()
        yield found


def test_shows_the_row_that_comes_back_as_another(connection: Connection) -> None:
    """A value that is lost on the way is counted and shown: key, value, what it gives, what that gives back."""
    found = round_trip(connection, SPLIT, check_mapping(connection, SPLIT))
    assert (100, True, 1, 0) == (found.compared, found.whole, found.changed, found.failed)
    assert "id '7': name 'Ada King Byron' gives first 'Ada', last 'King', and that gives back name 'Ada King'" == str(
        found.rows[0]
    )


def test_shows_the_row_on_which_an_expression_fails(connection: Connection) -> None:
    """One bad row is told, and the others are compared nevertheless."""
    mapping = Mapping("people", forward={"number": "code::integer"}, reverse={"code": "number::text"})
    found = round_trip(connection, mapping, check_mapping(connection, mapping))
    assert (100, 0, 1) == (found.compared, found.changed, found.failed)
    assert "id '9': code 'x9' fails: invalid input syntax for type integer: \"x9\"" == str(found.rows[0])


def test_a_value_too_long_for_the_declared_type_fails(connection: Connection) -> None:
    """Values are assigned, as the triggers do, and not cut off silently."""
    mapping = Mapping("people", forward={"short": "name"}, reverse={"name": "short"})
    types = check_mapping(connection, mapping, {"short": "character varying(9)"})
    found = round_trip(connection, mapping, types)
    assert (0, 1) == (found.changed, found.failed)
    assert "value too long for type character varying(9)" == found.rows[0].error


def test_null_where_none_may_be_fails(connection: Connection) -> None:
    """What NOT NULL would refuse at the seal is told before anything is begun."""
    mapping = Mapping("people", forward={"word": "nullif(name, 'Ada Byron')"}, reverse={"name": "word"})
    found = round_trip(connection, mapping, {"word": "text"}, not_null=frozenset({"word"}))
    assert 99 == found.failed
    assert "word is NULL, and shall be NOT NULL" == found.rows[0].error


def test_json_is_the_same_however_it_is_spelled(connection: Connection) -> None:
    """Blanks and the order of keys are no difference."""
    mapping = Mapping("people", forward={"doc": "data::jsonb"}, reverse={"data": "doc::json"})
    found = round_trip(connection, mapping, check_mapping(connection, mapping))
    assert (100, 0, 0) == (found.compared, found.changed, found.failed)


def test_a_large_table_is_sampled_and_then_read_until_the_time_is_up(connection: Connection) -> None:
    """Without time to go on, what was sampled counts, and it says so; with time, every row does."""
    connection.execute(text("INSERT INTO people SELECT n, 'Ada Byron' FROM generate_series(101, 40000) AS n"))
    connection.execute(text("ANALYZE people"))
    found = round_trip(connection, SPLIT, {"first": "text", "last": "text"}, limit=timedelta())
    if not found.rows:  # the sample may have had the one row that differs
        assert (False, True) == (found.whole, 0 < found.compared < 3 * SAMPLE)
        connection.execute(text("DELETE FROM people WHERE id = 7"))
        found = round_trip(connection, SPLIT, {"first": "text", "last": "text"}, limit=timedelta(minutes=1))
        assert (39999, True, 0) == (found.compared, found.whole, found.changed)


def test_leaves_nothing_behind(connection: Connection) -> None:
    """No temporary table or function, and the session's settings are as they were."""
    before = connection.execute(text("SELECT current_setting('search_path'), current_setting('row_security')")).one()
    round_trip(connection, SPLIT, check_mapping(connection, SPLIT))
    left = text("SELECT count(*) FROM pg_class WHERE relname LIKE 'expandcontract%' AND relpersistence = 't'")
    assert 0 == connection.execute(left).scalar_one()
    query = text("SELECT current_setting('search_path'), current_setting('row_security')")
    assert before == connection.execute(query).one()


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("upper(name", "syntax error"),
        ("name, code", "is not one expression"),
        ("name) , (code", "is not one expression"),
        ("name) FROM people WHERE (true", "is not one expression"),
        ("name); DROP TABLE people; SELECT (1", "is not one expression"),
        ("name -- its", "is not one expression"),
        ("name || now()::text", "it is volatile, or its value depends on settings"),
        ("max(name)", "aggregate functions are not allowed"),
        ("(SELECT name FROM people LIMIT 1)", 'relation "people" does not exist'),
        ("nick", 'column "nick" does not exist'),
        ("shout(name)", "names outside pg_catalog need their schema"),
    ],
)
def test_refuses_what_is_no_expression_of_the_row(connection: Connection, expression: str, reason: str) -> None:
    """What does not parse, is volatile, more than one statement, or reads something else, is told before it is run."""
    connection.execute(text("CREATE FUNCTION shout(text) RETURNS text IMMUTABLE AS 'SELECT upper($1)' LANGUAGE sql"))
    mapping = Mapping("people", forward={"word": expression}, reverse={"name": "word"})
    with pytest.raises(MappingError, match=reason.replace("(", r"\(")) as caught:
        check_mapping(connection, mapping)
    assert caught.value.message.startswith(f"the expression for word ({expression})")
    assert 100 == connection.execute(text("SELECT count(*) FROM people")).scalar_one()
