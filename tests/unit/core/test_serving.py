"""What the traffic as it stands means: who must not serve, which phase is not true, and what is said of drift."""

from __future__ import annotations

from expandcontract.core.color import Color, Weights
from expandcontract.core.gate import State
from expandcontract.core.phase import Kind, Phase
from expandcontract.core.release import Speaks
from expandcontract.core.serving import drift, strayed, unfit, untrue
from tests.unit.core.factory import NAME, change, release

BLUE, GREEN = Color.BLUE, Color.GREEN
NEW, DUAL = release(BLUE, "v3", Speaks.NEW), release(GREEN, "v2", Speaks.DUAL)
BOTH = {BLUE: NEW, GREEN: DUAL}
HALVES = Weights(50, 50)


def test_a_release_that_does_not_fit_is_named() -> None:
    """Only of colors with traffic; a color that nobody knows is one of them."""
    ended = (change(Phase.CONTRACTED),)
    assert {} == unfit(Weights(100, 0), BOTH, ended)
    assert [GREEN] == list(unfit(HALVES, BOTH, ended))
    assert unfit(HALVES, BOTH, ended)[GREEN].startswith(f"v2 on green does not fit: {NAME} is contracted")
    assert {GREEN: "no release is recorded on green"} == unfit(HALVES, {BLUE: NEW}, ended)


def test_a_window_that_cannot_run() -> None:
    """While it runs, every release with traffic speaks new; a change that nobody need notice has no such window."""
    over = change(Phase.CUT_OVER)
    assert not strayed(over, Weights(100, 0), BOTH, (over,))
    assert strayed(over, HALVES, BOTH, (over,))
    assert strayed(over, HALVES, {BLUE: NEW}, (over,))
    before = change(Phase.BACKFILLED)
    assert not strayed(before, HALVES, BOTH, (before,))
    swapped = change(Phase.CUT_OVER, kind=Kind.SWAPPED)
    assert not strayed(swapped, HALVES, BOTH, (swapped,))


def test_phases_that_are_not_true() -> None:
    """Each with the release that makes it so."""
    over, other = change(Phase.CUT_OVER), change(Phase.EXPANDED, "orders_total")
    assert ((over, DUAL),) == untrue(HALVES, BOTH, (over, other))
    assert () == untrue(Weights(100, 0), BOTH, (over, other))


def _said(weights: Weights | None, recorded: Weights | None, error: str = "", **more: object) -> tuple[str, str, str]:
    given: dict[str, object] = {"moving": False, "wrong": {}, **more}
    answer = drift(weights, recorded, error, **given)  # type: ignore[arg-type]
    return str(answer.state), answer.reason, answer.next


def test_drift_names_both_ways() -> None:
    """Put back or adopted; only put back where a release must not serve; neither while a move is in flight."""
    blue = Weights(100, 0)
    reason = "the balancer gives blue 50 %, green 50 %, the ledger last read blue 100 %, green 0 %"
    assert ("closed", reason, "ec switch blue, or ec switch --adopt") == _said(HALVES, blue)
    assert ("closed", f"{reason}; not that", "ec switch blue") == _said(HALVES, blue, wrong={GREEN: "not that"})
    assert "ec switch COLOR, or ec switch --adopt" == _said(blue, HALVES)[2]
    assert State.OPEN == _said(HALVES, blue, moving=True)[0]
    assert State.OPEN == _said(HALVES, None)[0]
    assert ("closed", "torn", "ec switch blue") == _said(blue, blue, "torn")
    assert ("closed", "torn", "ec status") == _said(HALVES, HALVES, "torn")
    assert "unknown" == _said(None, blue, "away")[0]
