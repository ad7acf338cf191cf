"""A release is the way back of a change from the move that replaced it until the window has expired."""

from __future__ import annotations

import pytest

from expandcontract.core.change import Deployed
from expandcontract.core.color import Color
from expandcontract.core.phase import Phase
from expandcontract.core.retire import needed_by
from expandcontract.core.window import Window
from tests.unit.core.factory import DAY, NOW, change, release

BEFORE = {
    "before_dual": Deployed(color=Color.BLUE, version="v1"),
    "before_cut_over": Deployed(color=Color.GREEN, version="v2"),
}


@pytest.mark.parametrize(
    ("phase", "v1", "v2"),
    [
        (Phase.EXPANDED, False, False),
        (Phase.DUAL_WRITING, True, False),
        (Phase.BACKFILLED, True, False),
        (Phase.CUT_OVER, False, True),
        (Phase.CONTRACTED, False, False),
    ],
)
def test_the_way_back(phase: Phase, v1: bool, v2: bool) -> None:  # noqa: FBT001
    """By phase, and by version: the color may have been deployed over, or another color have it."""
    state = change(phase, window=Window(DAY, opened_at=NOW), **BEFORE)
    for version, needed in (("v1", v1), ("v2", v2), ("v3", False)):
        assert ((state,) if needed else ()) == needed_by(release(Color.BLUE, version), [state], NOW)


def test_after_the_window() -> None:
    """Nothing is promised any more, and before it opens all of it is."""
    for opened_at, needed in ((NOW - DAY, False), (None, True)):
        state = change(Phase.CUT_OVER, window=Window(DAY, opened_at=opened_at), **BEFORE)
        assert needed is bool(needed_by(release(Color.GREEN, "v2"), [state], NOW))


def test_without_a_release_before() -> None:
    """The triggers alone write both shapes: nothing was replaced."""
    for phase in (Phase.DUAL_WRITING, Phase.CUT_OVER):
        assert () == needed_by(release(Color.GREEN, "v2"), [change(phase)], NOW)
