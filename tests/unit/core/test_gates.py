"""The gates about the ground and the release: what opens each, and the whole message when it is closed."""

from __future__ import annotations

from typing import Any

import pytest

from expandcontract.core.change import InFlight
from expandcontract.core.color import Color, Weights
from expandcontract.core.facts import Asked, ColorHealth, Finding, Holder, Severity
from expandcontract.core.gate import Gate, State
from expandcontract.core.gates import data, ground, release
from expandcontract.core.phase import Kind, Move, Phase
from expandcontract.core.release import Speaks
from expandcontract.core.shape import Shape
from tests.unit.core.factory import MAPPING, NAME, NOW, change, facts, says
from tests.unit.core.factory import release as deployed

BLUE, GREEN = Color.BLUE, Color.GREEN
V2 = deployed(GREEN, "v2", Speaks.DUAL)
V3 = deployed(GREEN, "v3", Speaks.NEW)
HOLDER = Holder(pid=7, who="ec advance, process 1 of ann on box", since=NOW)
WARNING = Finding(what="a publication", severity=Severity.WARN)
FAULT = Finding(what="the hold is missing", fix=f"ec repair {NAME}")
ERROR = Finding(what="EC201 drops users.nick (versions/a.py:9)", fix=f"ec lint {NAME}")
FLYING = change(Phase.EXPANDED, in_flight=InFlight(move=Move.DUAL_WRITE, since=NOW))
OTHER = change(Phase.CUT_OVER, "orders_total")
BY_DATABASE = Asked(move=Move.DUAL_WRITE, by_database=True)
OPEN = ("open", None)
NOBODY = "no release is recorded on green"

CASES: list[tuple[Gate, Move, Phase, dict[str, Any], tuple[str, str | None]]] = [
    (ground.MOVER_LOCK, Move.EXPAND, Phase.PLANNED, {}, OPEN),
    (
        ground.MOVER_LOCK,
        Move.EXPAND,
        Phase.PLANNED,
        {"holder": HOLDER},
        (
            "closed",
            "ec advance, process 1 of ann on box (backend 7, since 2026-11-24 12:00:00 UTC) moves this database",
        ),
    ),
    (ground.LEDGER_INTACT, Move.EXPAND, Phase.PLANNED, {}, OPEN),
    (ground.LEDGER_INTACT, Move.EXPAND, Phase.PLANNED, {"integrity": (FAULT,)}, ("closed", "the hold is missing")),
    (
        ground.LEDGER_INTACT,
        Move.EXPAND,
        Phase.PLANNED,
        {"integrity": None},
        ("unknown", "hold, triggers and journal could not be read"),
    ),
    (ground.TRAFFIC_DRIFT, Move.EXPAND, Phase.PLANNED, {}, OPEN),
    (ground.TRAFFIC_DRIFT, Move.EXPAND, Phase.PLANNED, {"switched": False}, OPEN),
    (ground.TRAFFIC_DRIFT, Move.EXPAND, Phase.PLANNED, {"recorded": None}, OPEN),
    (
        ground.TRAFFIC_DRIFT,
        Move.EXPAND,
        Phase.PLANNED,
        {"weights": None, "traffic_error": "refused"},
        ("unknown", "the traffic switch could not be read: refused"),
    ),
    (
        ground.TRAFFIC_DRIFT,
        Move.EXPAND,
        Phase.PLANNED,
        {"traffic_error": "a restart would change the traffic"},
        ("closed", "a restart would change the traffic"),
    ),
    (
        ground.TRAFFIC_DRIFT,
        Move.EXPAND,
        Phase.PLANNED,
        {"weights": Weights(40, 60)},
        (
            "closed",
            f"the balancer gives {Weights(40, 60)}, the ledger last read {Weights(100, 0)}; {NOBODY}",
        ),
    ),
    (
        ground.TRAFFIC_DRIFT,
        Move.EXPAND,
        Phase.PLANNED,
        {"recorded": Weights(40, 60)},
        ("closed", "the balancer gives blue 100 %, green 0 %, the ledger last read blue 40 %, green 60 %"),
    ),
    (ground.IN_FLIGHT, Move.EXPAND, Phase.PLANNED, {}, OPEN),
    (
        ground.IN_FLIGHT,
        Move.EXPAND,
        Phase.PLANNED,
        {"others": (change(Phase.EXPANDED, "b", in_flight=InFlight(move=Move.DUAL_WRITE, since=NOW)),)},
        ("closed", "left in flight: dual-write of b"),
    ),
    (ground.PREFLIGHT, Move.EXPAND, Phase.PLANNED, {"preflight": (WARNING,)}, OPEN),
    (ground.PREFLIGHT, Move.EXPAND, Phase.PLANNED, {"preflight": (WARNING, FAULT)}, ("closed", "the hold is missing")),
    (ground.PREFLIGHT, Move.EXPAND, Phase.PLANNED, {"preflight": None}, ("unknown", "the preflight could not be run")),
    (ground.PAIR, Move.EXPAND, Phase.PLANNED, {}, OPEN),
    (ground.LINT, Move.EXPAND, Phase.PLANNED, {}, OPEN),
    (
        ground.LINT,
        Move.EXPAND,
        Phase.PLANNED,
        {"lint": (ERROR,)},
        ("closed", "EC201 drops users.nick (versions/a.py:9)"),
    ),
    (
        ground.LINT,
        Move.EXPAND,
        Phase.PLANNED,
        {"lint": None},
        ("unknown", "the pair's revisions could not be judged"),
    ),
    (ground.EARLIER_EXPANDS, Move.EXPAND, Phase.PLANNED, {}, OPEN),
    (
        ground.EARLIER_EXPANDS,
        Move.EXPAND,
        Phase.PLANNED,
        {"earlier": ("a", "b"), "others": (change(name="a"), change(name="b"))},
        ("closed", "the expand of a, b comes first"),
    ),
    (
        ground.EARLIER_EXPANDS,
        Move.ROLL_BACK,
        Phase.EXPANDED,
        {"earlier": ("a",), "others": (change(name="a"),)},
        ("closed", "the expand of a stands on it and is applied"),
    ),
    (
        ground.EARLIER_EXPANDS,
        Move.EXPAND,
        Phase.PLANNED,
        {"earlier": ("3f2a",)},
        ("closed", "revision 3f2a comes first"),
    ),
    (
        ground.EARLIER_CONTRACTS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"earlier": None},
        ("unknown", "the chain of contract revisions could not be read"),
    ),
    (
        ground.COLUMNS_FREE,
        Move.EXPAND,
        Phase.PLANNED,
        {"others": (OTHER,)},
        ("closed", "orders_total is open and maps new, old of users already"),
    ),
    (ground.COLUMNS_FREE, Move.EXPAND, Phase.PLANNED, {"others": (change(Phase.PLANNED, "b"),)}, OPEN),
    (release.RELEASE_CHOSEN, Move.DUAL_WRITE, Phase.EXPANDED, {"asked": BY_DATABASE}, OPEN),
    (
        release.RELEASE_CHOSEN,
        Move.DUAL_WRITE,
        Phase.EXPANDED,
        {},
        ("closed", "no release was named, and none is guessed"),
    ),
    (
        release.RELEASE_CHOSEN,
        Move.CUT_OVER,
        Phase.BACKFILLED,
        {},
        ("closed", "no release was named, and none is guessed"),
    ),
    (release.RELEASE_CHOSEN, Move.CUT_OVER, Phase.BACKFILLED, {"release": V3}, OPEN),
    (
        release.RELEASE_CHOSEN,
        Move.CUT_OVER,
        Phase.BACKFILLED,
        {"release": V2},
        ("closed", f"release v2 speaks dual of {NAME}, this move wants one that speaks new"),
    ),
    (release.RELEASE_FITS, Move.DUAL_WRITE, Phase.EXPANDED, {}, OPEN),
    (release.RELEASE_FITS, Move.DUAL_WRITE, Phase.EXPANDED, {"release": V2}, OPEN),
    (
        release.RELEASE_FITS,
        Move.DUAL_WRITE,
        Phase.EXPANDED,
        {"release": V3},
        ("closed", f"release v3 does not fit: {NAME} is expanded, which wants old or dual, and the release speaks new"),
    ),
    (release.COLOR_HEALTHY, Move.DUAL_WRITE, Phase.EXPANDED, {}, OPEN),
    (release.COLOR_HEALTHY, Move.DUAL_WRITE, Phase.EXPANDED, {"release": V2}, OPEN),
    (release.COLOR_HEALTHY, Move.DUAL_WRITE, Phase.EXPANDED, {"release": V2, "releases": {GREEN: V2}}, OPEN),
    (
        release.COLOR_HEALTHY,
        Move.DUAL_WRITE,
        Phase.EXPANDED,
        {"release": V2, "releases": {GREEN: V2}, "health": {}},
        ("unknown", "green has not been probed"),
    ),
    (
        release.COLOR_HEALTHY,
        Move.DUAL_WRITE,
        Phase.EXPANDED,
        {
            "release": V2,
            "releases": {GREEN: V2},
            "health": {GREEN: ColorHealth(color=GREEN, ok=False, evidence="GET /ready: 503")},
        },
        ("closed", "green is not ready: GET /ready: 503"),
    ),
    (release.SMOKE_TEST, Move.DUAL_WRITE, Phase.EXPANDED, {}, OPEN),
    (release.SMOKE_TEST, Move.DUAL_WRITE, Phase.EXPANDED, {"smoke": None}, OPEN),
    (release.SMOKE_TEST, Move.DUAL_WRITE, Phase.EXPANDED, {"smoke": "500"}, ("closed", "the smoke test failed: 500")),
    (release.WAY_BACK, Move.CUT_OVER, Phase.BACKFILLED, {"release": V3}, OPEN),
    (
        release.WAY_BACK,
        Move.CUT_OVER,
        Phase.BACKFILLED,
        {"releases": {}},
        ("closed", "no release is recorded on the live color, so there is no way back to it"),
    ),
    (
        release.WAY_BACK,
        Move.CUT_OVER,
        Phase.BACKFILLED,
        {"weights": Weights(50, 50)},
        ("closed", "no release is recorded on the live color, so there is no way back to it"),
    ),
    (
        release.WAY_BACK,
        Move.CUT_OVER,
        Phase.BACKFILLED,
        {"others": (change(Phase.CONTRACTED, "b", contracted_at=NOW),)},
        ("closed", "v1 on blue would be no way back: b is contracted, which wants new, and the release speaks old"),
    ),
    (
        release.WAY_BACK,
        Move.CUT_OVER,
        Phase.BACKFILLED,
        {"release": deployed(BLUE, "v3", Speaks.NEW)},
        ("closed", "blue is live: deploying v3 over it would take the way back"),
    ),
    (release.OTHERS_HOLD, Move.DUAL_WRITE, Phase.EXPANDED, {}, OPEN),
    (release.OTHERS_HOLD, Move.DUAL_WRITE, Phase.EXPANDED, {"release": V2}, OPEN),
    (
        release.OTHERS_HOLD,
        Move.DUAL_WRITE,
        Phase.EXPANDED,
        {"release": V2, "others": (OTHER,)},
        ("closed", "release v2 live would make untrue what is true of orders_total"),
    ),
    (
        release.OTHERS_HOLD,
        Move.ROLL_BACK,
        Phase.CUT_OVER,
        {"release": V2, "others": (change(Phase.DUAL_WRITING, "b"), change(Phase.DUAL_WRITING, "c", by_database=True))},
        ("closed", "release v2 live would make untrue what is true of b"),
    ),
    (release.ROLL_BACK_TARGET, Move.ROLL_BACK, Phase.EXPANDED, {}, OPEN),
    (
        release.ROLL_BACK_TARGET,
        Move.ROLL_BACK,
        Phase.EXPANDED,
        {"releases": {GREEN: V2}},
        ("closed", f"v2 on green speaks dual of {NAME}"),
    ),
    (release.ROLL_BACK_TARGET, Move.ROLL_BACK, Phase.CUT_OVER, {"release": V2}, OPEN),
    (release.ROLL_BACK_TARGET, Move.ROLL_BACK, Phase.BACKFILLED, {}, OPEN),
    (
        release.ROLL_BACK_TARGET,
        Move.ROLL_BACK,
        Phase.CUT_OVER,
        {},
        ("closed", "the ledger knows no release to go back to"),
    ),
]


@pytest.mark.parametrize(("gate", "move", "phase", "more", "expected"), CASES)
def test_gate(gate: Gate, move: Move, phase: Phase, more: dict[str, Any], expected: tuple[str, str | None]) -> None:
    """Under these facts the gate says this, in these words; what is shut always says what to do where it knows."""
    says(gate, facts(move, change(phase), **more), expected)


def test_a_change_without_mapping_has_no_columns_and_no_parity() -> None:
    """Gates about columns and rows let an additive change through."""
    state = change(Phase.PLANNED, kind=Kind.ADDITIVE, shape=Shape())
    assert State.OPEN is ground.COLUMNS_FREE.decide(facts(Move.EXPAND, state)).state
    assert State.OPEN is data.PARITY.decide(facts(Move.EXPAND, state)).state
    assert (
        State.OPEN
        is ground.COLUMNS_FREE.decide(
            facts(Move.EXPAND, change(), others=(change(Phase.EXPANDED, "b", kind=Kind.ADDITIVE, shape=Shape()),))
        ).state
    )


def test_a_move_in_flight_may_be_resumed_by_itself_only() -> None:
    """The in-flight gate is open for the very move that is resumed, and closed for any other."""
    assert State.OPEN is ground.IN_FLIGHT.decide(facts(Move.DUAL_WRITE, FLYING)).state
    answer = ground.IN_FLIGHT.decide(facts(Move.ROLL_BACK, FLYING))
    assert (State.CLOSED, f"ec advance {NAME}, or ec rollback {NAME}") == (answer.state, answer.next)


def test_moves_of_one_shift_are_resumed_together() -> None:
    """A cut-over in flight is no obstacle to the dual-write that was begun along with it; to any other move it is."""
    other = change(Phase.BACKFILLED, "b", in_flight=InFlight(move=Move.CUT_OVER, since=NOW))
    both = Asked(move=Move.DUAL_WRITE, together=frozenset({NAME, "b"}))
    assert State.OPEN is ground.IN_FLIGHT.decide(facts(Move.DUAL_WRITE, FLYING, asked=both, others=(other,))).state
    for asked in (Asked(move=Move.DUAL_WRITE), Asked(move=Move.BACKFILL, together=both.together)):
        found = facts(asked.move, change(Phase.DUAL_WRITING), asked=asked, others=(other,))
        assert State.CLOSED is ground.IN_FLIGHT.decide(found).state


ASIDE = [
    (Move.ROLL_BACK, Phase.CUT_OVER, Phase.DUAL_WRITING, (), f"ec rollback {NAME} b"),
    (Move.ROLL_BACK, Phase.CUT_OVER, Phase.BACKFILLED, (), "ec rollback b"),
    (Move.ROLL_BACK, Phase.CUT_OVER, Phase.BACKFILLED, ("b",), "ec rollback b"),
    (Move.ROLL_BACK, Phase.CUT_OVER, Phase.DUAL_WRITING, ("b",), ""),
    (Move.ROLL_BACK, Phase.CUT_OVER, Phase.CONTRACTED, (), "ec rollback b"),
    (Move.CUT_OVER, Phase.BACKFILLED, Phase.BACKFILLED, (), f"ec advance {NAME} b --release v2"),
    (Move.CUT_OVER, Phase.BACKFILLED, Phase.BACKFILLED, ("b",), ""),
    (Move.CUT_OVER, Phase.BACKFILLED, Phase.DUAL_WRITING, (), f"ec advance {NAME} --release v2 --speaks b=dual"),
    (Move.CUT_OVER, Phase.BACKFILLED, Phase.CUT_OVER, (), f"ec advance {NAME} --release v2 --speaks b=new"),
]


@pytest.mark.parametrize(("move", "phase", "other", "named", "advice"), ASIDE)
def test_what_is_advised_about_changes_that_a_release_takes_along(
    move: Move, phase: Phase, other: Phase, named: tuple[str, ...], advice: str
) -> None:
    """Named along where that is enough; first or spoken of where it is not; open where each makes its own move."""
    asked = Asked(move=move, release=V2, together=frozenset({NAME, *named}))
    answer = release.OTHERS_HOLD.decide(facts(move, change(phase), asked=asked, others=(change(other, "b"),)))
    assert (State.CLOSED if advice else State.OPEN, advice) == (answer.state, answer.next)


def test_drift_is_no_obstacle_to_the_change_whose_shift_was_cut_off() -> None:
    """Weights between two stages are expected of a shift in flight."""
    assert State.OPEN is ground.TRAFFIC_DRIFT.decide(facts(Move.DUAL_WRITE, FLYING, weights=Weights(90, 10))).state


def test_the_mapping_is_that_of_the_factory() -> None:
    """The factory's change maps what the messages above name."""
    assert {"old", "new"} == MAPPING.columns
