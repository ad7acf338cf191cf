"""Which values a column can be given, and in which order tables are filled."""

from __future__ import annotations

import pytest
from psycopg import sql

from expandcontract.core.mapping import Table
from expandcontract.pg.rows.kind import Kind
from expandcontract.pg.rows.model import Column, Key, Sketch
from expandcontract.pg.rows.order import order
from expandcontract.pg.rows.value import PLAIN, TEXTS, literals, variants

N = sql.SQL("n")
INT = Kind(name="int4", spelled="integer")


def first(kind: Kind, *hints: str) -> str:
    """The variant that is tried first."""
    return variants(kind, N, "word", hints)[0].as_string()


@pytest.mark.parametrize("name", sorted({*PLAIN, *TEXTS, "numeric", "bit"}))
def test_every_known_type_has_a_value_that_counts(name: str) -> None:
    """The first variant is made of the row's number, so that rows differ, and is cast to the type."""
    said = first(Kind(name=name, spelled=name))
    assert "n" in said.replace(name, "")
    assert said.endswith(f"::{name}")


def test_a_type_that_is_not_known_has_none() -> None:
    """Nothing is guessed."""
    assert () == variants(Kind(name="geometry", spelled="geometry"), N, "word")
    assert () == variants(
        Kind(name="geometry[]", spelled="geometry[]", make="array", parts=(Kind(name="geometry", spelled="geometry"),)),
        N,
        "word",
    )
    assert () == variants(
        Kind(name="both", spelled="both", make="composite", parts=(INT, Kind(name="geometry", spelled="geometry"))),
        N,
        "word",
    )


def test_texts_fit_their_length() -> None:
    """A short column begins with what differs most within it; a longer one with its name."""
    assert "(left(right(lpad(to_hex(n), 8, '0'), 4), 4))::varchar(4)" == first(
        Kind(name="varchar", spelled="varchar(4)", length=4)
    )
    assert "(left('word' || ' ' || n, 40))::varchar(40)" == first(
        Kind(name="varchar", spelled="varchar(40)", length=40)
    )


def test_a_numeric_keeps_to_its_digits() -> None:
    """Five digits, two of them behind the point: below 1000."""
    assert "((n % 100000)::numeric / 100)::numeric(5,2)" == first(
        Kind(name="numeric", spelled="numeric(5,2)", precision=5, scale=2)
    )


def test_made_types() -> None:
    """An enum in turn, an array of its element, ranges that do not meet, a composite of its fields, a domain on top."""
    array = Kind(name="_int4", spelled="integer[]", make="array", parts=(INT,))
    assert "(ARRAY[(n)::integer])::integer[]" == first(array)
    ranges = Kind(name="int4range", spelled="int4range", make="range", parts=(INT,))
    assert "(int4range(least(((n * 10 + 0))::integer, ((n * 10 + 5))::integer)" in first(ranges)
    pair = Kind(name="pair", spelled="public.pair", make="composite", parts=(INT, INT))
    assert "(ROW((n)::integer, (n)::integer))::public.pair" == first(pair)
    domain = Kind(name="int4", spelled="integer", domain="public.age")
    assert "(n)::integer::public.age" == first(domain)
    enum = Kind(name="mood", spelled="public.mood", make="enum")
    assert "enum_range(NULL::public.mood)" in first(enum)
    many = Kind(name="int4multirange", spelled="int4multirange", make="multirange", parts=(ranges,))
    assert first(many).startswith("(int4multirange((int4range(")


def test_constants_of_checks_are_tried_early() -> None:
    """After the plain value come those between, near and of the constants."""
    found = [v.as_string() for v in variants(INT, N, "word", ("18", "130"))]
    assert found.index("(18 + n % greatest((130)::int8 - (18)::int8, 1))::integer") == 1
    assert "(18)::integer" in found
    words = [v.as_string() for v in variants(Kind(name="text", spelled="text"), N, "word", ("new", "paid"))]
    assert "((ARRAY[('new')::text, ('paid')::text])[1 + n % 2])::text" == words[1]
    days = [v.as_string() for v in variants(Kind(name="date", spelled="date"), N, "word", ("2024-02-01",))]
    assert "(('2024-02-01')::date + (n % 28))::date" in days


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("CHECK ((age >= 18) AND (age < 130))", ("18", "130")),
        ("(state = ANY (ARRAY['new'::text, 'it''s'::text]))", ("new", "it's")),
        ("((price > (0)::numeric) AND (price < 9.5))", ("0", "9.5")),
        ("(a1 = b2)", ()),
    ],
)
def test_constants_are_found(text: str, found: tuple[str, ...]) -> None:
    """Strings unquoted, numbers as they are, no digit of a name."""
    assert found == literals(text)


def table(name: str, *keys: tuple[str, bool]) -> Sketch:
    """A table that refers to others, by a column each; with whether that may not be NULL."""
    return Sketch(
        table=Table(schema="public", name=name),
        kind="r",
        columns=(
            Column(name="id", kind=INT, not_null=True),
            *(Column(name=of, kind=INT, not_null=must) for of, must in keys),
        ),
        keys=tuple(
            Key(name=of, columns=(of,), target=Table(schema="public", name=of), target_columns=("id",))
            for of, _ in keys
        ),
    )


def names(*sketches: Sketch) -> list[str]:
    """In which order they are filled."""
    return [turn.sketch.table.name for turn in order(sketches)]


def test_tables_come_after_those_they_refer_to() -> None:
    """Whatever the order they are given in; one outside is not waited for."""
    assert ["c", "b", "a"] == names(table("a", ("b", True)), table("b", ("c", True)), table("c", ("elsewhere", True)))


def test_a_circle_is_broken_where_null_may_be() -> None:
    """The table whose key may be NULL comes first, without it."""
    turns = order([table("a", ("b", True)), table("b", ("a", False))])
    assert ["b", "a"] == [turn.sketch.table.name for turn in turns]
    assert ["a"] == [key.name for key in turns[0].later]
    assert ["b"] == [key.name for key in turns[1].keys]


def test_a_circle_of_nothing_but_not_null_is_begun_anyway() -> None:
    """It is told by whoever fills it that there is no value."""
    assert ["a", "b"] == names(table("a", ("b", True)), table("b", ("a", True)))


def test_a_table_may_refer_to_itself() -> None:
    """That key waits for its own rows."""
    (turn,) = order([table("a", ("a", False))])
    assert ["a"] == [key.name for key in turn.later]
