"""What a function gave is judged, and where it fails the row is found."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from expandcontract.errors import MappingError
from expandcontract.functions import call as module
from expandcontract.functions.call import Fault, call
from expandcontract.functions.found import find

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = [{"id": number, "word": f"w{number}"} for number in range(1, 6)]


def test_results_are_in_the_order_declared() -> None:
    """Whatever the order within a result, and rows that are left stay None; rows are copies."""

    def function(rows: list[dict[str, Any]]) -> list[dict[str, Any] | None]:
        words = [row.pop("word") for row in rows]
        return [{"b": 1, "a": words[0]}, None, None, None, None]

    found = call(function, ROWS, ["a", "b"])
    assert [{"a": "w1", "b": 1}, None, None, None, None] == found
    assert ["a", "b"] == list(found[0] or ())  # type: ignore[index]
    assert "w1" == ROWS[0]["word"]


def _third(rows: list[dict[str, Any]]) -> list[Any]:
    return [1 // (row["id"] - 3) for row in rows]


def _sixth(rows: list[dict[str, Any]]) -> Any:
    return rows[2]["id"] // 0


@pytest.mark.parametrize(
    ("function", "row", "said"),
    [
        (_third, 2, "raised ZeroDivisionError"),
        (_sixth, None, "raised ZeroDivisionError"),
        (lambda _rows: {}, None, "gave a dict, not a list"),
        (lambda _rows: [None], None, "gave 1 results for 5 rows"),
        (lambda rows: [{}, *rows[1:]], 0, "gave nothing, and is declared to write word"),
        (lambda _rows: [{"word": 1}] * 4 + [{"word": 1, "id": 2}], 4, "gave id, word, and is declared to write word"),
    ],
)
def test_faults(function: Callable[..., Any], row: int | None, said: str) -> None:
    """The row is named where one alone fails in the same way, and none where they fail only together."""
    found = call(function, ROWS, ["word"])
    assert isinstance(found, Fault)
    assert row == found.row
    assert said in found.said


def test_the_search_for_the_row_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while it is given up, and the fault is of all rows."""
    monkeypatch.setattr(module, "BLAME_S", -1.0)
    found = call(_third, ROWS, ["word"])
    assert isinstance(found, Fault)
    assert found.row is None


def test_a_module_that_fails_at_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its error is told, also where it is the lack of another module; a function within a class is found."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "broken_shop.py").write_text("import not_there_at_all", encoding="utf-8")
    (tmp_path / "leaving_shop.py").write_text("raise SystemExit(1)", encoding="utf-8")
    (tmp_path / "good_shop.py").write_text(
        "class Of:\n    @staticmethod\n    def f(rows): return rows", encoding="utf-8"
    )
    with pytest.raises(MappingError, match="cannot be imported: there is no module not_there_at_all"):
        find("broken_shop:f")
    with pytest.raises(MappingError, match="cannot be imported: SystemExit: 1"):
        find("leaving_shop:f")
    assert [1] == find("good_shop:Of.f")([1])  # type: ignore[list-item]
    for name in ("broken_shop", "leaving_shop", "good_shop"):
        sys.modules.pop(name, None)
