"""How the pages of a range are parted: every one is in exactly one part, and what lies beyond is in the last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from expandcontract.backfill.looking import parts, until
from expandcontract.backfill.ranges import BEYOND


@given(st.integers(0, 5000), st.integers(0, 5000), st.integers(1, 6000), st.booleans())
def test_each_page_is_in_one_part(first: int, pages: int, size: int, is_last: bool) -> None:  # noqa: FBT001
    """Whatever the size, and where the range is open at its end."""
    last = first + pages
    end = BEYOND if is_last else max(last, first + 1)
    found = list(parts(first, last, end, size))
    assert [first, *(stop for _, stop in found)] == [*(start for start, _ in found), end]
    assert all(stop - start == size for start, stop in found[:-1])
    assert found[-1][0] <= max(last - 1, first)


def test_what_is_not_known_of_belongs_to_the_last_part() -> None:
    """Rows that were written since the pass began lie beyond the last page."""
    assert 30 == until(10, 100, BEYOND, 20)
    assert BEYOND == until(80, 100, BEYOND, 20)
    assert BEYOND == until(100, 100, BEYOND, 20)
