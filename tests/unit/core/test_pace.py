"""How a backfill goes through a table: every page in every pass once, sized by time."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expandcontract.core.pace import (
    Batch,
    Pace,
    Pass,
    Position,
    Took,
    after,
    cut,
    eta,
    gentle,
    halved,
    next_batch,
    opened,
    pieces,
    share,
    steer,
    stripes_for,
)

TARGET_S = 0.1
PACE = Pace(window_pages=1000, batch_pages=100, target=timedelta(seconds=TARGET_S))


@given(st.integers(0, 400), st.integers(1, 300), st.integers(1, 400), st.sampled_from([1, 2, 16]), st.data())
def test_every_page_once_in_every_pass(pages: int, window: int, batch: int, stripes: int, data: st.DataObject) -> None:
    """Whatever the pace becomes on the way, each page is met once a stripe of its window, and the share only grows."""
    pace = Pace(window_pages=window, stripes=stripes, batch_pages=batch)
    at, done, met = opened(Position(page=0, end_page=pages), pace), 0.0, Counter[tuple[int, int]]()
    while (todo := next_batch(at, pace)) is not None:
        assert 0 <= todo.first_page < todo.end_page <= pages
        assert todo.pages <= max(pace.batch_pages, 1)
        met.update((page, todo.stripe) for page in range(todo.first_page, todo.end_page))
        at = after(at, todo)
        assert done <= share(at) <= pages
        done = share(at)
        pace = Pace(window_pages=window, stripes=stripes, batch_pages=data.draw(st.integers(1, 400), label="batch"))
        at = opened(at, pace)
    assert Counter({(page, stripe): 1 for page in range(pages) for stripe in range(stripes)}) == met
    assert at == opened(at, pace)
    assert done == pytest.approx(pages)


@given(st.integers(0, 5000), st.integers(0, 200_000), st.integers(1, 131_072))
def test_segments_cover_every_page_and_end_small(first: int, pages: int, size: int) -> None:
    """Segments follow each other without a gap, none above its size, and the last is no large part of a large table."""
    found = list(cut(first, first + pages, size))
    assert pages == sum(end - begin for begin, end in found)
    assert [first, *(end for _, end in found)] == [*(begin for begin, _ in found), first + pages]
    assert all(0 < end - begin <= size for begin, end in found)
    assert not found or found[-1][1] - found[-1][0] <= 750


def test_a_window_keeps_its_stripes() -> None:
    """A window that is under way is gone through as it was begun, whatever the pace says now."""
    passing = Pass(end_page=50, stripes=4, stripe=3, page=25)
    at = Position(page=0, end_page=100, passing=passing)
    assert at == opened(at, Pace(window_pages=7, stripes=16))
    todo = next_batch(at, PACE)
    assert todo is not None
    assert (25, 50, 3, 4) == (todo.first_page, todo.end_page, todo.stripe, todo.stripes)
    assert Position(page=50, end_page=100) == after(at, todo)
    assert Position(page=50, end_page=100) == after(Position(page=50, end_page=100), todo)


def test_no_batch_yet_no_change() -> None:
    """What nobody measured is not steered by."""
    assert PACE == steer(PACE, [], most_pages=3000)


@given(st.floats(1e-6, 1.0), st.integers(1, 1000), st.integers(1, 4000))
def test_steering_comes_to_the_target(page_s: float, batch: int, most: int) -> None:
    """At a steady speed batches take the target, or are as large as the window or as small as a page."""
    pace = Pace(window_pages=1000, batch_pages=batch, target=timedelta(seconds=TARGET_S))
    for _ in range(20):
        pace = steer(pace, [Took(pages=pace.batch_pages, seconds=page_s * pace.batch_pages)] * 8, most_pages=most)
    wished = TARGET_S / page_s
    assert pace.window_pages <= max(most, 1000)
    assert pace.batch_pages == max(1, min(int(wished), pace.window_pages)) or pace.batch_pages == pytest.approx(
        wished, rel=0.02
    )


def test_steering_shrinks_at_once_and_grows_by_and_by() -> None:
    """One batch that took more than twice the target makes the next smaller; fast ones at most double it."""
    fast = [Took(pages=100, seconds=0.01)] * 7
    assert 200 == steer(PACE, fast, most_pages=1000).batch_pages
    slow = steer(PACE, [*fast, Took(pages=100, seconds=1.0)], most_pages=1000)
    assert 10 == slow.batch_pages
    assert 200 == steer(PACE, [Took(pages=100, seconds=0.0)], most_pages=1000).batch_pages


def test_a_window_grows_with_the_speed_only() -> None:
    """A window that is gone through in less than half the target doubles, up to the limit; it never shrinks."""
    quick = [Took(pages=1000, seconds=0.01)] * 8
    pace = Pace(window_pages=1000, batch_pages=1000, target=timedelta(seconds=TARGET_S))
    assert 2000 == steer(pace, quick, most_pages=3000).window_pages
    assert 3000 == steer(steer(pace, quick, most_pages=3000), quick, most_pages=3000).window_pages
    assert 1000 == steer(pace, quick, most_pages=500).window_pages
    assert 1000 == steer(pace, [Took(pages=1, seconds=0.1)] * 8, most_pages=3000).window_pages


def test_beside_others_batches_are_short_and_in_pieces() -> None:
    """Batches of the shorter target, statements as long as was asked; alone a batch is one statement again."""
    asked = gentle(PACE, timedelta(seconds=0.01), timedelta(seconds=0.002))
    assert timedelta(seconds=0.01) == asked.target
    assert timedelta(seconds=0.1) == gentle(PACE, timedelta(seconds=1), timedelta(seconds=1)).target
    steady = [Took(pages=100, seconds=0.1)] * 8
    steered = steer(asked, steady, most_pages=1000)
    assert (10, 2) == (steered.batch_pages, steered.piece_pages)
    assert steer(PACE, steady, most_pages=1000).piece_pages is None
    assert 200 == steer(asked, [Took(pages=100, seconds=0.0)], most_pages=1000).piece_pages


def test_far_away_most_of_the_time_is_work() -> None:
    """However long the way, a batch is at least twice its overhead, and a statement twice a round trip."""
    asked = gentle(PACE, timedelta(seconds=0.01), timedelta(seconds=0.001))
    far = [Took(pages=100, seconds=0.15, overhead=0.05, trip=0.005)] * 8
    steered = steer(asked, far, most_pages=1000)
    assert (50, 10) == (steered.batch_pages, steered.piece_pages)
    assert 0.0 == Took(pages=1, seconds=0.1, overhead=0.2).work


@given(st.integers(0, 1000), st.integers(1, 500), st.one_of(st.none(), st.integers(1, 700)))
def test_pieces_are_the_batch(first: int, pages: int, size: int | None) -> None:
    """Each page once, in order, in statements of that size; with none, in one."""
    whole = Batch(first_page=first, end_page=first + pages, stripe=3, stripes=16)
    found = list(pieces(whole, size))
    assert list(range(first, first + pages)) == [
        page for part in found for page in range(part.first_page, part.end_page)
    ]
    assert all(part.pages <= (size or pages) and (3, 16) == (part.stripe, part.stripes) for part in found)
    assert size is not None or [whole] == found


def test_halved() -> None:
    """Half as many pages, at least one."""
    assert 50 == halved(PACE).batch_pages
    assert 1 == halved(Pace(batch_pages=1)).batch_pages


def test_stripes_by_rows_of_a_page() -> None:
    """A pass takes a row or more of a page; wide rows are passed over less often, narrow ones as often as allowed."""
    assert 16 == stripes_for(60, 16)
    assert 8 == stripes_for(9, 16)
    assert 4 == stripes_for(0.5, 16)
    assert 2 == stripes_for(0.5, 2)


def test_eta() -> None:
    """The rest takes as long as what is done did, in proportion; before anything is done nobody knows."""
    assert timedelta(seconds=30) == eta(25, 100, timedelta(seconds=10))
    assert eta(0, 100, timedelta(seconds=10)) is None
    assert eta(5, 100, timedelta()) is None
