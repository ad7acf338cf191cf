"""What those who watch put on the board, and those who work read there."""

from __future__ import annotations

from expandcontract.backfill.board import Board


def test_everybody_waits_until_the_last_reason_is_gone() -> None:
    """Reasons are known by their source; a later text of the same source takes the place of the earlier."""
    board = Board()
    board.hold_back("lag", "5 s")
    board.hold_back("control", "paused")
    board.hold_back("lag", "6 s")
    assert (("lag", "control"), ("6 s", "paused")) == (board.sources, board.reasons)
    board.hold_back("lag", None)
    board.hold_back("never there", None)
    assert (("control",), ("paused",)) == (board.sources, board.reasons)


def test_the_slowest_source_counts() -> None:
    """One that is no longer near its limit slows nobody down."""
    board = Board()
    assert 0.0 == board.rest_batches
    board.slow_down("lag", 1.5)
    board.slow_down("wal", 3.0)
    assert 3.0 == board.rest_batches
    board.slow_down("wal", 0.0)
    assert 1.5 == board.rest_batches


def test_a_note_is_said_once() -> None:
    """What was said of a source first stays; the order is that of saying."""
    board = Board()
    for source, text in (("b", "one"), ("a", "two"), ("b", "three")):
        board.note(source, text)
    assert ("one", "two") == board.notes


def test_a_vacuum_is_taken_by_one() -> None:
    """Only while nothing but what it mends holds anybody back."""
    board = Board()
    assert not board.may_vacuum("dead")
    board.want_vacuum(7)
    board.hold_back("dead", "31 %")
    assert board.may_vacuum("dead")
    board.hold_back("lag", "6 s")
    assert not board.may_vacuum("dead")
    assert [7, None] == [board.take_vacuum(), board.take_vacuum()]
    assert not board.may_vacuum("dead")
