"""Colors, weights, mappings, names, windows, durations, pace: the small words that everything is made of."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.core.change import Change, Deployed, check_name, requires
from expandcontract.core.color import Color, Weights
from expandcontract.core.duration import in_words, parse
from expandcontract.core.fit import FITS, fitting, misfits, spoken
from expandcontract.core.mapping import Mapping, Table
from expandcontract.core.phase import Kind, Move, Phase
from expandcontract.core.release import Speaks
from expandcontract.core.shape import Shape
from expandcontract.core.window import Window
from expandcontract.errors import MappingError, UsageError
from tests.unit.core.factory import DAY, MAPPING, NAME, NOW, change, facts, release


@given(st.integers(0, 100))
def test_weights_toward_a_color(percent: int) -> None:
    """Whatever one color gets, the other gets the rest, and only 100 makes a color live."""
    weights = Weights.toward(Color.GREEN, percent)
    assert (100 - percent, percent) == (weights.of(Color.BLUE), weights.of(Color.GREEN))
    assert weights == Weights(**weights.document())
    expected = {0: Color.BLUE, 100: Color.GREEN}.get(percent)
    assert expected is weights.live


@pytest.mark.parametrize(("blue", "green"), [(0, 0), (50, 49), (-1, 101), (50.0, 50), (101, -1)])
def test_weights_that_are_no_share_of_the_traffic(blue: int, green: int) -> None:
    """0/0 is an outage and cannot be built, nor can anything that is not whole per cents adding up to 100."""
    with pytest.raises(UsageError, match="whole per cents that add up to 100"):
        Weights(blue, green)


def test_colors_are_opposites() -> None:
    """Each color's other's other is itself; a release and a way back say where they are."""
    assert all(color is color.other.other is not color.other for color in Color)
    assert ("v1 on blue", "v1 on blue") == (
        str(release(Color.BLUE, "v1")),
        str(Deployed(color=Color.BLUE, version="v1")),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("users", ("public", "users")),
        ("shop.users", ("shop", "users")),
        ('"odd.name"', ("public", "odd.name")),
        ('shop."a""b"', ("shop", 'a"b')),
    ],
)
def test_table_names(text: str, expected: tuple[str, str]) -> None:
    """A table is one or two names, quoted where they hold a dot; public goes without saying."""
    table = Table.parse(text)
    assert expected == (table.schema, table.name)
    assert str(table) == (table.name if table.schema == "public" else f"{table.schema}.{table.name}")


@pytest.mark.parametrize("text", ["", "a.b.c", ".a", '"open'])
def test_what_is_no_table(text: str) -> None:
    """Anything else is refused with the form that is wanted."""
    with pytest.raises(MappingError, match=r"is not a table: write table or schema\.table"):
        Table.parse(text)


def test_mapping_goes_through_its_document() -> None:
    """The ledger's form of a mapping loses nothing, and its sides keep their order."""
    mapping = Mapping("s.t", forward={"b": "a + 1", "c": "a"}, reverse={"a": "b - 1"}, lossy=True)
    again = Mapping.from_document(mapping.document())
    assert mapping == again
    assert (("a",), ("b", "c"), frozenset("abc")) == (again.old, again.new, again.columns)
    with pytest.raises(MappingError, match="not a mapping"):
        Mapping.from_document({"schema": "s"})


def test_mappings_overlap_only_on_one_table() -> None:
    """Two mappings share columns only where they share the table."""
    other = Mapping("users", forward={"third": "old"}, reverse={"old": "third"})
    assert frozenset({"old"}) == MAPPING.overlap(other)
    assert frozenset() == MAPPING.overlap(Mapping("orders", forward={"new": "old"}, reverse={"old": "new"}))


@pytest.mark.parametrize(
    ("forward", "reverse", "said"),
    [
        ({}, {"a": "b"}, "needs both a forward and a reverse expression"),
        ({"a": "a"}, {"a": "a"}, "has a on both sides"),
        ({"b": " "}, {"a": "b"}, "has no expression for b"),
    ],
)
def test_mappings_that_cannot_be(forward: dict[str, str], reverse: dict[str, str], said: str) -> None:
    """A mapping without a way forward or back, or with a column on both sides, says what is wrong."""
    with pytest.raises(MappingError, match=said):
        Mapping("users", forward=forward, reverse=reverse)


@pytest.mark.parametrize("name", ["Users", "1a", "a-b", "", "a" * 51])
def test_names_that_cannot_name_a_change(name: str) -> None:
    """A change's name is snake_case and short enough for its hold."""
    with pytest.raises(UsageError, match="cannot name a change"):
        Change(name)
    assert check_name("a" * 50) == "a" * 50


def test_what_must_be_live_for_a_phase_to_be_true() -> None:
    """Dual writing needs a dual or new release unless the triggers do it; after cut-over only new will do."""
    assert frozenset(Speaks) == requires(change(Phase.EXPANDED))
    assert frozenset({Speaks.DUAL, Speaks.NEW}) == requires(change(Phase.BACKFILLED))
    assert frozenset(Speaks) == requires(change(Phase.BACKFILLED, by_database=True))
    assert frozenset({Speaks.NEW}) == requires(change(Phase.CUT_OVER))


def test_fit_of_contracted_changes_goes_by_baseline() -> None:
    """A release built on the contract, or on a later one, speaks new of it; an older one does not fit."""
    first = change(Phase.CONTRACTED, "first", contracted_at=NOW - DAY)
    second = change(Phase.CONTRACTED, "second", contracted_at=NOW)
    both = (first, second)
    assert Speaks.NEW is spoken(release(Color.BLUE, "v", baseline="c_second"), first, both)
    assert Speaks.OLD is spoken(release(Color.BLUE, "v", baseline="c_first"), second, both)
    assert Speaks.OLD is spoken(release(Color.BLUE, "v"), first, both)
    assert ("first", "second") == tuple(m.change for m in misfits(release(Color.BLUE, "v"), both))
    assert Speaks.NEW is spoken(release(Color.BLUE, "v"), change(Phase.CONTRACTED, straight=True), ())


def test_additive_changes_fit_everything_once_expanded() -> None:
    """What only adds breaks nobody."""
    additive = change(Phase.EXPANDED, kind=Kind.ADDITIVE, shape=Shape(), contract_revision=None)
    assert additive.ended
    assert frozenset(Speaks) == fitting(additive)
    assert FITS[Kind.MAPPED][Phase.EXPANDED] == fitting(change(), Phase.EXPANDED)


def test_window_counts_from_its_opening() -> None:
    """It expires exactly when its length has passed, may be lengthened always and shortened only before it opens."""
    window = Window(DAY, NOW)
    assert (NOW + DAY, DAY, False) == (window.closes_at, window.remaining(NOW), window.expired(NOW))
    assert window.expired(NOW + DAY)
    assert (None, None, False) == (Window(DAY).closes_at, Window(DAY).remaining(NOW), Window(DAY).expired(NOW))
    assert Window(DAY * 2, NOW) == window.resized(DAY * 2)
    assert Window(DAY / 2) == Window(DAY).resized(DAY / 2)
    with pytest.raises(UsageError, match="can only be lengthened"):
        window.resized(DAY / 2)
    with pytest.raises(UsageError, match="cannot be negative"):
        window.resized(-DAY)


@given(st.integers(0, 10**7))
def test_durations_read_back(seconds: int) -> None:
    """What is written as words is read back as the same length."""
    assert timedelta(seconds=seconds) == parse(in_words(timedelta(seconds=seconds)))


def test_durations_that_are_none() -> None:
    """A bare number is no duration; milliseconds are."""
    assert timedelta(seconds=0.25) == parse("250ms")
    with pytest.raises(UsageError, match="'5' is not a duration"):
        parse("5")


def test_live_color_of_facts() -> None:
    """The color with all the traffic by the last reading; what the ledger recorded where the balancer is silent."""
    assert Color.BLUE is facts(Move.EXPAND, change()).live
    assert Color.BLUE is facts(Move.EXPAND, change(), weights=None).live
    assert facts(Move.EXPAND, change(), weights=None, recorded=None).live is None
    assert () == facts(Move.EXPAND, change(name=NAME)).others()
