"""Columns that move to another table, as a pair declares them."""

from __future__ import annotations

import pytest

from expandcontract.core.change import Change
from expandcontract.core.phase import Kind
from expandcontract.core.shape import Hold, Shape
from expandcontract.core.transfer import Stranded, Transfer
from expandcontract.errors import MappingError, PairError
from tests.unit.core.factory import MAPPING

DECLARED = {"key": {"user_id": "id"}, "forward": {"bio": "upper(bio)"}, "reverse": {"bio": "lower(bio)"}}
MOVE = Transfer("shop.people", "profiles", **DECLARED, lossy=True)  # type: ignore[arg-type]
MAKING = Transfer("shop.people", "profiles", **DECLARED, create_missing=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("move", [MOVE, MAKING])
def test_a_transfer_goes_through_its_document(move: Transfer) -> None:
    """The ledger's form loses nothing, and holds the columns of both tables."""
    shape = Shape(transfers=(move,))
    assert shape == Shape.from_document(shape.document())
    assert (Hold("shop.people", ["bio"]), Hold("profiles", ["bio"])) == shape.holds
    assert (Hold("shop.people", ["bio"]),) == shape.leaving
    assert (Hold("profiles", ["bio"]),) == shape.arriving
    assert {"profiles", "shop.people"} == set(map(str, shape.tables))
    assert move.lossy is shape.lossy


def test_rows_without_a_target_row_are_looked_for_and_filled_only_where_asked_for() -> None:
    """They count as differing in any case."""
    assert ((MOVE,), (MOVE, Stranded(MOVE))) == (Shape(transfers=(MOVE,)).work, Shape(transfers=(MOVE,)).compared)
    making = Shape(transfers=(MAKING,))
    assert ((Stranded(MAKING), MAKING), making.work) == (making.work, making.compared)
    assert MOVE.source == Stranded(MOVE).table


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"table": "shop.people"}, "needs two tables"),
        ({"forward": {}}, "needs both a forward and a reverse"),
        ({"reverse": {}}, "needs both a forward and a reverse"),
        ({"key": {}}, "needs a key"),
        ({"reverse": {"bio": " "}}, "has no expression for bio"),
        ({"forward": {"user_id": "bio"}}, "moves user_id, which is in the key"),
        ({"reverse": {"id": "bio"}}, "moves id, which is in the key"),
    ],
)
def test_what_cannot_be_a_transfer(wrong: dict[str, object], said: str) -> None:
    """The refusal says what is wrong with it."""
    with pytest.raises(MappingError, match=said):
        Transfer(**{"source": "shop.people", "table": "profiles", **DECLARED, **wrong})  # type: ignore[arg-type]


def test_a_change_with_a_transfer_is_mapped() -> None:
    """Its phases and fit are a mapping's; its names cannot be traded, and its tables have no other work in it."""
    assert Kind.MAPPED is Change("a", transfer=MOVE).kind
    assert (MOVE,) == Change("a", transfer=[MOVE]).shape.transfers
    with pytest.raises(PairError, match="cannot be traded"):
        Change("a", transfer=MOVE, kind="swapped")
    with pytest.raises(PairError, match="is removed and has a mapping"):
        Change("a", transfer=MOVE, kind="removed")
    with pytest.raises(MappingError, match="mapped or filled twice"):
        Change("a", transfer=Transfer("users", "profiles", **DECLARED), mapping=MAPPING)  # type: ignore[arg-type]


def test_transfers_overlap_where_they_move_the_same_column() -> None:
    """The key is shared; a column that moves is not."""
    other = Transfer("users", "profiles", **DECLARED)  # type: ignore[arg-type]
    assert (Hold("profiles", ["bio"]),) == Shape(transfers=(MOVE,)).overlap(Shape(transfers=(other,)))
    keyed = Transfer("shop.people", "third", **{**DECLARED, "reverse": {"motto": "bio"}})  # type: ignore[arg-type]
    assert () == Shape(transfers=(MOVE,)).overlap(Shape(transfers=(keyed,)))
