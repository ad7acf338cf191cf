"""Which moves are made as one, and which release takes several changes back at once."""

from __future__ import annotations

import pytest

from expandcontract.core.change import InFlight
from expandcontract.core.color import Color
from expandcontract.core.facts import Asked
from expandcontract.core.phase import Kind, Move, Phase
from expandcontract.core.release import Release, Speaks
from expandcontract.errors import RefusedError, UsageError
from expandcontract.runner.together import combined, own, way_back
from tests.unit.core.factory import NAME, NOW, change

A, B = change(Phase.CUT_OVER), change(Phase.DUAL_WRITING, "b")


def _back(version: str | None, **speaks: Speaks) -> Asked:
    release = None if version is None else Release(color=Color.BLUE, version=version, speaks=speaks)
    return Asked(move=Move.ROLL_BACK, release=release)


def test_moves_of_a_shift_and_like_moves_are_made_as_one() -> None:
    """A dual-write and a cut-over, or the same move of all; anything else is refused with what each wants."""
    shift = [change(Phase.BACKFILLED), change(Phase.EXPANDED, "b")]
    assert {NAME: Move.CUT_OVER, "b": Move.DUAL_WRITE} == combined(shift)
    assert {NAME: Move.EXPAND, "b": Move.EXPAND} == combined([change(), change(name="b")])
    assert {} == combined([change(Phase.CONTRACTED)])
    with pytest.raises(UsageError, match=f"{NAME} wants contract, b wants backfill"):
        combined([A, B])
    with pytest.raises(UsageError, match="b wants nothing more"):
        combined([A, change(Phase.EXPANDED, "b", kind=Kind.ADDITIVE)])
    with pytest.raises(RefusedError, match="a roll-back of b is in flight"):
        combined([A, change(Phase.CUT_OVER, "b", in_flight=InFlight(move=Move.ROLL_BACK, since=NOW))])


def test_each_change_of_a_shift_has_its_own_move() -> None:
    """What one is asked for is not what the other is; a roll-back is the same for all."""
    asked = Asked(move=Move.CUT_OVER, together=frozenset({NAME, "b"}))
    assert Move.DUAL_WRITE is own(change(Phase.EXPANDED, "b"), asked).move
    assert Move.CUT_OVER is own(change(Phase.BACKFILLED), asked).move
    assert Move.ROLL_BACK is own(B, _back("v1")).move


def test_the_release_before_all_of_the_shifts_takes_all_back() -> None:
    """It leaves true what will be true of each, whatever the order in which they are named."""
    first = _back("v2", **{NAME: Speaks.DUAL})
    second = _back("v3", **{NAME: Speaks.NEW})
    assert first == way_back([A, B], [first, second], [A, B])
    assert first == way_back([B, A], [second, first], [A, B])
    assert first == way_back([A, change(Phase.BACKFILLED, "c")], [first, _back(None)], [A])
    assert _back(None) == way_back([change(Phase.BACKFILLED)], [_back(None)], [])


def test_no_release_takes_all_back() -> None:
    """Each would make untrue what will be true of the other; both are named."""
    one = _back("v2", **{NAME: Speaks.DUAL, "c": Speaks.NEW})
    other = _back("v3", **{NAME: Speaks.NEW, "c": Speaks.DUAL})
    c = change(Phase.CUT_OVER, "c")
    with pytest.raises(RefusedError, match=f"{NAME} to v2 on blue, c to v3 on blue"):
        way_back([A, c], [one, other], [A, c])
