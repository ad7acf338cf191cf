"""A fill says where its values come from, in one of three ways."""

from __future__ import annotations

from typing import Any

import pytest

from expandcontract.core.change import Change
from expandcontract.core.fill import Fill
from expandcontract.core.mapping import Table
from expandcontract.core.shape import Shape
from expandcontract.errors import MappingError
from expandcontract.revisions.render import change_source

PLAIN = Fill("a", {"x": "y + 1"}, where="x < 0")
JOINED = Fill(
    "shop.b", {"x": "c.y"}, join={"c": "shop.others", "d": Table.parse("more")}, on="c.id = b.c AND d.id = b.d"
)
COMPUTED = Fill("c", function="shop.backfills:Many.of", reads=["y", "z"], writes=["x"], where="x IS NULL")


def test_every_sort_goes_through_its_document() -> None:
    """The ledger's form loses nothing; what the server cannot fill by itself stands apart."""
    shape = Shape(fills=(PLAIN, JOINED, COMPUTED))
    document = shape.document()
    assert ["a"] == [item["table"] for item in document["fills"]]  # type: ignore[attr-defined]
    assert ["b", "c"] == [item["table"] for item in document["computed"]]  # type: ignore[attr-defined]
    assert shape == Shape.from_document(document)
    assert [("x",)] * 3 == [fill.columns for fill in shape.fills]
    assert [True, False, False] == [fill.by_row for fill in shape.fills]


@pytest.mark.parametrize("fill", [PLAIN, JOINED, COMPUTED])
def test_every_sort_goes_through_its_file(fill: Fill) -> None:
    """What is written into a revision is read back as the same."""
    names: dict[str, Any] = {"Change": Change, "Fill": Fill}
    exec(change_source(Change("a", fill=fill)), names)  # noqa: S102  # as the import of the revision does
    assert (fill,) == names["change"].shape.fills


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"values": {"x": "1"}, "reads": ["y"]}, "names no function"),
        ({"values": {"x": "1"}, "join": {"b": "b"}}, "needs both the tables of its join and on="),
        ({"values": {"x": "1"}, "on": "b.id = a.id"}, "needs both the tables of its join and on="),
        ({"values": {"x": "1"}, "join": {"b": "b"}, "on": " "}, "needs both the tables of its join and on="),
        (
            {"values": {"x": "1"}, "join": {"a": "b"}, "on": "true"},
            "joins something as a, which is what its own row is",
        ),
        ({"function": "shop.backfills"}, "names its function 'shop.backfills'; write package.module:function"),
        ({"function": "a:b", "values": {"x": "1"}}, "neither expressions nor a join"),
        ({"function": "a:b", "reads": ["y"]}, "does not say what that reads and writes"),
        ({"function": "a:b", "reads": ["y"], "writes": ["x", "x"]}, "names x twice"),
    ],
)
def test_parts_that_do_not_go_together(given: dict[str, Any], said: str) -> None:
    """The refusal names the table, and what is missing or too much."""
    with pytest.raises(MappingError, match=rf"a fill of a .*{said}"):
        Fill("a", **given)
