"""The shipped lock table is complete, agrees with itself, and its page is made from it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from expandcontract.pg.locks.forms import FORMS
from expandcontract.pg.locks.page import page
from expandcontract.pg.locks.table import MEASURED, data, nearest

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "locks.md"


@pytest.mark.parametrize("major", MEASURED)
def test_every_form_is_measured(major: int) -> None:
    """Each version has an entry for each form on each kind of table that it names, and no other."""
    assert {form.key: {str(kind) for kind in form.on} for form in FORMS} == {
        key: set(kinds) for key, kinds in data(major)["forms"].items()
    }


@pytest.mark.parametrize("major", MEASURED)
def test_cases_of_a_form_agree(major: int) -> None:
    """Two cases of one form differ only in roles that the other does not have: a prediction may join them."""
    cases: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for key, kinds in data(major)["forms"].items():
        for kind, entry in kinds.items():
            if "refused" not in entry:
                cases.setdefault((key.partition(": ")[0], kind), []).append(entry)
    for place, entries in cases.items():
        for one, other in combinations(entries, 2):
            assert _shared(one, other) == _shared(other, one), place


def _shared(entry: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    common = entry["locks"].keys() & other["locks"].keys()
    return {
        "locks": {part: entry["locks"][part] for part in common},
        "rewrites": [part for part in entry["rewrites"] if part in common],
        "scans": [part for part in entry["scans"] if part in common],
        "transactional": entry["transactional"],
    }


def test_the_page_is_made_from_the_data() -> None:
    """`docs/reference/locks.md` is what `make locks` writes."""
    assert page() == PAGE.read_text(encoding="utf-8")


def test_versions_that_were_not_measured() -> None:
    """A version between two measured ones is foretold from both, one beyond the last from the last."""
    assert ((18,), (16, 18), (18,), (15,)) == (nearest(18), nearest(17), nearest(19), nearest(14))
