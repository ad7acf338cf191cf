"""Changes as a pair declares them: their kinds, and the shapes that hold, triggers and backfill are made from."""

from __future__ import annotations

import pytest

from expandcontract.core.change import Change, requires
from expandcontract.core.fill import Fill
from expandcontract.core.fit import FITS, fitting
from expandcontract.core.mapping import Mapping, Table
from expandcontract.core.phase import ROUTES, Kind, Move, Phase
from expandcontract.core.release import Speaks
from expandcontract.core.shape import Hold, Shape
from expandcontract.errors import MappingError, PairError, UsageError
from tests.unit.core.factory import MAPPING, change

ORDERS = Mapping("shop.orders", forward={"total": "sum"}, reverse={"sum": "total"}, lossy=True)
FILL = Fill("users", {"token": "gen_random_uuid()"})


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (Change("a", mapping=MAPPING), Kind.MAPPED),
        (Change("a", mapping=[MAPPING, ORDERS], kind="swapped"), Kind.SWAPPED),
        (Change("a", fill=FILL), Kind.FILLED),
        (Change("a", removes=Hold("users", ["nick"])), Kind.REMOVED),
        (Change("a", kind="tightened"), Kind.TIGHTENED),
        (Change("a", touches="users", kind="filled"), Kind.FILLED),
        (Change("a", touches=["users", "shop.orders"], kind="removed"), Kind.REMOVED),
        (Change("a", fill=[FILL], kind=Kind.TIGHTENED), Kind.TIGHTENED),
        (Change("a"), Kind.ADDITIVE),
    ],
)
def test_the_kind_follows_from_what_is_declared(declared: Change, expected: Kind) -> None:
    """A mapping, a fill or a removal says what sort of change it is, unless another sort is named."""
    assert expected is declared.kind


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"kind": "mapped"}, "is mapped and has no mapping"),
        ({"mapping": MAPPING, "kind": "removed"}, "is removed and has a mapping"),
        (
            {"mapping": Mapping("t", forward={"a": "c", "b": "c"}, reverse={"c": "a"}), "kind": "swapped"},
            "is swapped and has a mapping whose old and new columns do not pair off",
        ),
    ],
)
def test_a_kind_that_does_not_go_with_what_is_declared(more: dict[str, object], said: str) -> None:
    """The refusal names what is missing or too much."""
    with pytest.raises(PairError, match=said):
        Change("a", **more)  # type: ignore[arg-type]


def test_a_shape_goes_through_its_document() -> None:
    """The ledger's form loses nothing, and lists every column that must not be dropped."""
    shape = Shape(
        mappings=(MAPPING, ORDERS),
        fills=(Fill("third", {"a": "1"}, where="a < 0"),),
        removes=(Hold("fourth", ["x", "y"]),),
        keeps=(Hold("fifth", ["z"]),),
        touches=(Table.parse("sixth"), Table.parse("users")),
    )
    assert shape == Shape.from_document(shape.document())
    holds = [(hold["table"], hold["kept"]) for hold in shape.document()["holds"]]  # type: ignore[attr-defined]
    assert [("users", False), ("orders", False), ("fourth", False), ("fifth", True)] == holds
    assert ("users", "shop.orders", "third", "fourth", "fifth", "sixth") == tuple(map(str, shape.tables))
    assert [("old",), ("sum",), ("x", "y")] == [hold.columns for hold in shape.leaving]
    assert [("new",), ("total",)] == [hold.columns for hold in shape.arriving]
    assert (True, False) == (shape.lossy, Shape(mappings=(MAPPING,)).lossy)
    for broken in ({"mappings": []}, {"mappings": [], "fills": [{}], "removes": []}, {"mappings": 3}):
        with pytest.raises(MappingError, match="not a shape"):
            Shape.from_document(broken)


def test_one_table_has_one_piece_of_work() -> None:
    """Two mappings, or a mapping and a fill, of one table are refused: their triggers and batches would interleave."""
    with pytest.raises(MappingError, match="users is mapped or filled twice"):
        Shape(mappings=(MAPPING,), fills=(FILL,))


def test_shapes_overlap_where_they_hold_the_same_column() -> None:
    """Removed columns count like mapped ones, kept ones only against those; the same name in another table does not."""
    mine = Shape(mappings=(MAPPING,))
    assert (Hold("users", ["old"]),) == mine.overlap(Shape(removes=(Hold("users", ["old", "other"]),)))
    assert () == mine.overlap(Shape(removes=(Hold("orders", ["old"]), Hold("users", ["other"]))))
    assert () == mine.overlap(Shape(fills=(FILL,)))
    both = Change("a", keeps=Hold("users", ["old", "nick"]), kind="tightened").shape
    assert (Hold("users", ["old"]),) == mine.overlap(both) == both.overlap(mine)
    assert () == both.overlap(both)


@pytest.mark.parametrize("values", [{}, {"a": " "}])
def test_fills_and_holds_that_cannot_be(values: dict[str, str]) -> None:
    """A fill has an expression for each column, a hold a column."""
    with pytest.raises(MappingError, match="a fill of users needs an expression"):
        Fill("users", values)
    with pytest.raises(MappingError, match="a hold of users needs a column"):
        Hold("users", [])


@pytest.mark.parametrize("kind", Kind)
def test_what_fits_and_what_must_be_live(kind: Kind) -> None:
    """In every phase of its route something fits, and whatever must be live for the phase to be true fits too."""
    for phase in ROUTES[kind]:
        state = change(phase, kind=kind)
        assert fitting(state) == FITS[kind][phase]
        assert fitting(state) & requires(state)
    if Phase.CUT_OVER in ROUTES[kind]:
        over = requires(change(Phase.CUT_OVER, kind=kind))
        assert over == (frozenset(Speaks) if kind is Kind.SWAPPED else {Speaks.NEW})
    if kind is Kind.TIGHTENED:
        assert frozenset(Speaks) == requires(change(Phase.BACKFILLED, kind=kind))


def test_where_a_move_leads_and_where_none_does() -> None:
    """A state knows its own way; asked for a move that does not lead on, it says so."""
    state = change(Phase.EXPANDED, kind=Kind.REMOVED)
    assert Phase.CUT_OVER is state.after(Move.CUT_OVER)
    assert (Move.CUT_OVER, Move.CONTRACT) == state.path(Phase.CONTRACTED)
    assert (True, False) == (state.contracts, change(kind=Kind.FILLED).contracts)
    with pytest.raises(UsageError, match="is expanded, and no backfill leads on from there"):
        state.after(Move.BACKFILL)


@pytest.mark.parametrize("name", ["users", "shop.users", '"odd.name"', 'shop."a""b"'])
def test_a_table_is_spelled_as_it_is_read(name: str) -> None:
    """What a pair's file says of a table is read back as the same table."""
    assert Table.parse(name) == Table.parse(Table.parse(name).spelled)
