"""Each gate: what opens it, and the whole message when it is closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from expandcontract.core.change import InFlight
from expandcontract.core.color import Color, Weights
from expandcontract.core.facts import Asked, ColorHealth, Finding, Holder, Session, Severity, Snapshot
from expandcontract.core.gate import Gate, State
from expandcontract.core.gates import data, ground, release
from expandcontract.core.phase import Kind, Move, Phase
from expandcontract.core.release import Speaks
from expandcontract.core.shape import Shape
from expandcontract.core.window import Window
from tests.unit.core.factory import DAY, MAPPING, NAME, NOW, change, facts
from tests.unit.core.factory import release as deployed

BLUE, GREEN = Color.BLUE, Color.GREEN
V1 = deployed(BLUE, "v1")
V2 = deployed(GREEN, "v2", Speaks.DUAL)
V3 = deployed(GREEN, "v3", Speaks.NEW)
HOLDER = Holder(pid=7, who="ec advance, process 1 of ann on box", since=NOW)
WARNING = Finding(what="a publication", severity=Severity.WARN)
FAULT = Finding(what="the hold is missing", fix=f"ec repair {NAME}")
ERROR = Finding(what="EC201 drops users.nick (versions/a.py:9)", fix=f"ec lint {NAME}")
FLYING = change(Phase.EXPANDED, in_flight=InFlight(move=Move.DUAL_WRITE, since=NOW))
OTHER = change(Phase.CUT_OVER, "orders_total")
LATE = Snapshot(who="session 9 of ann (psql)", age=timedelta(hours=30))
SESSION = Session(pid=5, role="app_green", application="x", address="local", state="idle", age=DAY)
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
    (data.SNAPSHOTS, Move.BACKFILL, Phase.DUAL_WRITING, {}, OPEN),
    (
        data.SNAPSHOTS,
        Move.BACKFILL,
        Phase.DUAL_WRITING,
        {"snapshots": None},
        ("unknown", "the oldest snapshot could not be read"),
    ),
    (
        data.SNAPSHOTS,
        Move.BACKFILL,
        Phase.DUAL_WRITING,
        {"snapshots": (LATE,)},
        ("closed", "old snapshots keep dead rows: session 9 of ann (psql) (1d6h)"),
    ),
    (data.PARITY, Move.CUT_OVER, Phase.BACKFILLED, {}, OPEN),
    (data.PARITY, Move.CUT_OVER, Phase.BACKFILLED, {"differing": None}, ("unknown", "the rows have not been compared")),
    (
        data.PARITY,
        Move.CUT_OVER,
        Phase.BACKFILLED,
        {"differing": 3},
        ("closed", "3 rows differ between the old and the new shape"),
    ),
    (data.SEAL, Move.CUT_OVER, Phase.BACKFILLED, {}, OPEN),
    (data.SEAL, Move.CUT_OVER, Phase.BACKFILLED, {"unsealed": None}, ("unknown", "the seal could not be read")),
    (data.SEAL, Move.CUT_OVER, Phase.BACKFILLED, {"unsealed": ("index i",)}, ("closed", "not sealed: index i")),
    (
        data.WINDOW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {},
        ("closed", "the rollback window has not opened: a release that does not speak new can still serve"),
    ),
    (
        data.RELEASES_SPEAK_NEW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"releases": {BLUE: deployed(BLUE, "v3", Speaks.NEW)}},
        OPEN,
    ),
    (
        data.RELEASES_SPEAK_NEW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {},
        ("closed", "v1 on blue gets 100 % of the traffic and speaks old"),
    ),
    (
        data.RELEASES_SPEAK_NEW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"releases": {}, "switched": False},
        ("closed", "no release is recorded"),
    ),
    (
        data.RELEASES_SPEAK_NEW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"weights": None, "recorded": None},
        ("unknown", "the traffic is not known"),
    ),
    (
        data.RELEASES_SPEAK_NEW,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"releases": {GREEN: V3}},
        ("closed", "no release is recorded on the live color"),
    ),
    (data.SESSIONS, Move.CONTRACT, Phase.CUT_OVER, {}, OPEN),
    (
        data.SESSIONS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"sessions": None},
        ("unknown", "the sessions could not be counted"),
    ),
    (
        data.SESSIONS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"sessions": (SESSION,)},
        ("closed", "sessions of a release that does not speak new: app_green from local (backend 5)"),
    ),
    (data.DEPENDENTS, Move.CONTRACT, Phase.CUT_OVER, {}, OPEN),
    (
        data.DEPENDENTS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"dependents": None},
        ("unknown", "the dependents could not be read"),
    ),
    (
        data.DEPENDENTS,
        Move.CONTRACT,
        Phase.CUT_OVER,
        {"dependents": ("view v",)},
        ("closed", "these depend on the old shape: view v"),
    ),
]


@pytest.mark.parametrize(("gate", "move", "phase", "more", "expected"), CASES)
def test_gate(gate: Gate, move: Move, phase: Phase, more: dict[str, Any], expected: tuple[str, str | None]) -> None:
    """Under these facts the gate says this, in these words; what is shut always says what to do where it knows."""
    answer = gate.decide(facts(move, change(phase), **more))
    assert expected[0] == answer.state
    if expected[1] is not None:
        assert expected[1] == answer.reason
    if answer.state is State.CLOSED:
        assert answer.next


def test_window_has_expired() -> None:
    """From the moment its whole length has passed the window is no obstacle."""
    state = change(Phase.CUT_OVER, window=Window(DAY, NOW - DAY))
    answer = data.WINDOW.decide(facts(Move.CONTRACT, state))
    assert (State.OPEN, "1d", "1d") == (answer.state, answer.measured, answer.limit)


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


def test_drift_is_no_obstacle_to_the_change_whose_shift_was_cut_off() -> None:
    """Weights between two stages are expected of a shift in flight."""
    assert State.OPEN is ground.TRAFFIC_DRIFT.decide(facts(Move.DUAL_WRITE, FLYING, weights=Weights(90, 10))).state


def test_the_mapping_is_that_of_the_factory() -> None:
    """The factory's change maps what the messages above name."""
    assert {"old", "new"} == MAPPING.columns
