"""What `make bench` keeps and writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.benchmarks.engine.bounds import Line, missed
from tests.benchmarks.engine.page import page
from tests.benchmarks.engine.record import Case, keep, kept

if TYPE_CHECKING:
    from pathlib import Path

MET = Line(what="rows/s", value=1.4, least=1.3)
MISSED = Line(what="worst wait", value=251, most=250, unit="ms")
TOLD = Line(what="of others", value=3)


def test_a_bound_is_kept_or_not() -> None:
    """What has no bound is told only."""
    assert [MISSED] == missed([MET, MISSED, TOLD])
    assert "| rows/s | 1.40 x | ≥ 1.3 | met |\n| worst wait | 251.00 ms | ≤ 250 | **missed** |\n" in page(
        [MET, MISSED], 18
    )
    assert "| of others | 3.00 x |  |  |" in page([TOLD], 18)


def test_a_case_replaces_what_it_came_to_before(tmp_path: Path) -> None:
    """Others stay, in order; figures of another version or scale are forgotten."""
    path = tmp_path / "new" / "backfill.json"
    first = {"load": Case(lines=[MISSED], figures={"p99": 3}), "main": Case(lines=[MET], figures=[1])}
    assert list(keep(path, first, ("main", "load"), version=18, scale=1.0)) == ["main", "load"]
    again = {"load": Case(lines=[TOLD], figures={"p99": 2})}
    every = keep(path, again, ("main", "load"), version=18, scale=1.0)
    assert every == {"main": first["main"], **again}
    assert every == kept(path, version=18, scale=1.0)
    assert {} == kept(path, version=16, scale=1.0)
    assert again == keep(path, again, ("main", "load"), version=18, scale=0.5)
