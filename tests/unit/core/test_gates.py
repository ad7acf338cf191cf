"""Each gate: what opens it, and the whole message when it is closed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from expandcontract.core.change import ChangeState, InFlight
from expandcontract.core.color import Color, Weights
from expandcontract.core.facts import Asked, ColorHealth, Finding, Holder, Session, Severity, Snapshot
from expandcontract.core.fill import Fill
from expandcontract.core.gate import Gate, State
from expandcontract.core.gates import data, ground, release
from expandcontract.core.phase import Kind, Move, Phase
from expandcontract.core.release import Speaks
from expandcontract.core.shape import Shape
from expandcontract.core.transfer import Transfer
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
        {"weights": Weights(40, 60)},
        ("closed", "the balancer gives blue 40 %, green 60 %, the ledger last read blue 100 %, green 0 %"),
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


FILLED = change(Phase.EXPANDED, kind=Kind.FILLED, shape=Shape(fills=(Fill("users", {"token": "1"}),)))
MOVED = change(
    Phase.DUAL_WRITING,
    shape=Shape(
        transfers=(
            Transfer("users", "profiles", key={"user_id": "id"}, forward={"bio": "bio"}, reverse={"bio": "bio"}),
        )
    ),
)
TIGHTENED = change(Phase.CUT_OVER, kind=Kind.TIGHTENED, shape=Shape())
MENDED = change(Phase.CUT_OVER, kind=Kind.TIGHTENED, shape=Shape(fills=(Fill("users", {"nick": "''"}),)))
LATER = "the contract mends them before it makes the rule"
SWAPPED = change(Phase.BACKFILLED, kind=Kind.SWAPPED)
TRADED = change(Phase.CUT_OVER, kind=Kind.SWAPPED)


@pytest.mark.parametrize(
    ("state", "differing", "expected"),
    [
        (FILLED, 0, ("open", "every row has its value")),
        (FILLED, 3, ("closed", "3 rows lack a value")),
        (MOVED, 0, ("open", "old and new shape agree on every row")),
        (
            MOVED,
            3,
            (
                "closed",
                "3 rows differ between the old and the new shape, or have a value and no row of profiles to hold it",
            ),
        ),
        (TIGHTENED, 0, ("open", "every row keeps the coming rule")),
        (TIGHTENED, 3, ("closed", "3 rows break the coming rule")),
        (TIGHTENED, None, ("unknown", "the rows have not been compared")),
        (MENDED, 3, ("open", f"3 rows break the coming rule; {LATER}")),
    ],
)
def test_parity_of_changes_that_map_nothing(
    state: ChangeState, differing: int | None, expected: tuple[str, str]
) -> None:
    """A fill is judged by the rows that lack a value, a tightening by those that break its rule, a move by both."""
    answer = data.PARITY.decide(facts(Move.BACKFILL, state, differing=differing))
    assert expected == (answer.state, answer.reason)


def test_no_rule_holds_up_the_cut_over() -> None:
    """The old release may break a coming rule until it is gone, so its rows close the contract, not the cut-over."""
    said = "3 rows break the coming rule; they must be mended before the contract"
    answer = data.PARITY.decide(facts(Move.CUT_OVER, TIGHTENED, differing=3))
    assert (State.OPEN, said, "3") == (answer.state, answer.reason, answer.measured)
    assert State.CLOSED is data.PARITY.decide(facts(Move.CONTRACT, TIGHTENED, differing=3)).state
    assert State.OPEN is data.PARITY.decide(facts(Move.CONTRACT, MENDED, differing=3)).state


@pytest.mark.parametrize("gate", [data.RELEASES_SPEAK_NEW, release.RELEASE_CHOSEN, release.WAY_BACK])
def test_what_no_release_notices_wants_none(gate: Gate) -> None:
    """Where every release fits before and after, none has to be named, live or kept."""
    answer = gate.decide(facts(Move.CUT_OVER, SWAPPED, releases={}))
    assert (State.OPEN, True) == (answer.state, "every release fits" in answer.reason)


def test_what_cannot_be_taken_back() -> None:
    """An irreversible expand closes the roll-back to planned, with the reason; a swap goes back without a release."""
    for_good = change(Phase.EXPANDED, kind=Kind.ADDITIVE, shape=Shape(), irreversible="an enum value stays")
    answer = release.ROLL_BACK_TARGET.decide(facts(Move.ROLL_BACK, for_good))
    assert (State.CLOSED, "the expand cannot be taken back: an enum value stays") == (answer.state, answer.reason)
    loose = change(Phase.EXPANDED, kind=Kind.ADDITIVE, shape=Shape())
    broken = (Finding(what="3 rows of users break NOT NULL of users.nick", fix="mend them"),)
    answer = release.ROLL_BACK_TARGET.decide(facts(Move.ROLL_BACK, loose, breaking=broken))
    assert (State.CLOSED, "mend them") == (answer.state, answer.next)
    assert "would not hold: 3 rows of users break NOT NULL of users.nick" in answer.reason
    over = change(Phase.CUT_OVER, kind=Kind.SWAPPED)
    assert State.OPEN is release.ROLL_BACK_TARGET.decide(facts(Move.ROLL_BACK, over)).state


@pytest.mark.parametrize(
    ("state", "unfit", "expected"),
    [
        (change(Phase.CUT_OVER), None, ("open", "the names are as they were")),
        (SWAPPED, None, ("open", "the names are as they were")),
        (TRADED, 0, ("open", "every value fits the old type")),
        (TRADED, None, ("unknown", "the rows have not been counted")),
        (
            TRADED,
            3,
            (
                "closed",
                "3 rows have a value of users.new that the old type cannot have, and going back would lose it",
            ),
        ),
    ],
)
def test_values_that_do_not_fit_back(state: ChangeState, unfit: int | None, expected: tuple[str, str]) -> None:
    """Only where names are traded are there such values, and then each is one too many."""
    answer = data.FITS_BACK.decide(facts(Move.ROLL_BACK, state, unfit=unfit))
    assert expected == (answer.state, answer.reason)
    assert answer.next == ("" if answer.state is State.OPEN else f"ec verify {NAME}")


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
