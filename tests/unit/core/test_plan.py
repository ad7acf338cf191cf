"""The table of transitions, what comes next, and what stands before which move."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest

from expandcontract.core.change import InFlight
from expandcontract.core.color import Color, Weights
from expandcontract.core.facts import Asked
from expandcontract.core.gate import State
from expandcontract.core.phase import ORDER, ROUTES, TRANSITIONS, Kind, Move, Phase, after, forward, path
from expandcontract.core.plan import GATES, ask, implied, judge, next_move
from expandcontract.core.release import Speaks, check_version
from expandcontract.core.shape import Shape
from expandcontract.core.window import Window
from expandcontract.errors import UsageError
from tests.unit.core.factory import DAY, NAME, NOW, change, facts, release

EXPECTED = {
    (Phase.PLANNED, Move.EXPAND): Phase.EXPANDED,
    (Phase.EXPANDED, Move.DUAL_WRITE): Phase.DUAL_WRITING,
    (Phase.DUAL_WRITING, Move.BACKFILL): Phase.BACKFILLED,
    (Phase.BACKFILLED, Move.CUT_OVER): Phase.CUT_OVER,
    (Phase.CUT_OVER, Move.CONTRACT): Phase.CONTRACTED,
    (Phase.EXPANDED, Move.ROLL_BACK): Phase.PLANNED,
    (Phase.DUAL_WRITING, Move.ROLL_BACK): Phase.EXPANDED,
    (Phase.BACKFILLED, Move.ROLL_BACK): Phase.DUAL_WRITING,
    (Phase.CUT_OVER, Move.ROLL_BACK): Phase.BACKFILLED,
}


@pytest.mark.parametrize("move", Move)
@pytest.mark.parametrize("phase", Phase)
def test_every_pair_of_phase_and_move(phase: Phase, move: Move) -> None:
    """A move leads exactly where the design says; anywhere else its order gate is closed, whatever else holds."""
    assert EXPECTED.get((phase, move)) is after(phase, move)
    order = judge(facts(move, change(phase))).verdicts[0]
    assert ("order", (phase, move) in EXPECTED) == (order.gate, order.open)
    if not order.open:
        assert order.answer.next == f"ec status {NAME}"


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_leaves_phases_out_and_changes_no_order(kind: Kind) -> None:
    """Its route is the whole way with some phases missing; each move leads to the phase it is named for, and back."""
    route = ROUTES[kind]
    assert route == tuple(phase for phase in ORDER if phase in route)
    ends = {move: end for moves in TRANSITIONS.values() for move, end in moves.items() if move is not Move.ROLL_BACK}
    for here, there in pairwise(route):
        move = forward(here, kind)
        assert move is not None
        assert (there, there) == (ends[move], after(here, move, kind))
        assert (None if there is Phase.CONTRACTED else here) is after(there, Move.ROLL_BACK, kind)
    assert forward(route[-1], kind) is None
    assert len(route) - 1 == len(path(route[0], route[-1], kind))
    for phase in set(ORDER) - set(route):
        assert after(phase, Move.ROLL_BACK, kind) is None
        assert not judge(facts(Move.CONTRACT, change(phase, kind=kind))).verdicts[0].open


def test_every_move_has_gates_with_codes_of_their_own() -> None:
    """No two gates share a name or a code, and every move asks some."""
    gates = {gate for gates in GATES.values() for gate in gates}
    assert set(Move) == set(GATES)
    assert len(gates) == len({gate.code for gate in gates}) == len({gate.name for gate in gates})


def test_the_forward_way_is_the_order_of_the_phases() -> None:
    """Walking the forward moves visits every phase once, and there is no way forward past the end or backwards."""
    assert [
        TRANSITIONS[phase][move] for phase, move in zip(ORDER, path(Phase.PLANNED, Phase.CONTRACTED), strict=False)
    ] == list(ORDER[1:])
    assert forward(Phase.CONTRACTED) is None
    assert path(Phase.CUT_OVER, Phase.PLANNED) == ()


def test_what_is_in_flight_comes_next() -> None:
    """An unfinished move comes before all others; an additive change ends at expanded."""
    flying = change(Phase.CUT_OVER, in_flight=InFlight(move=Move.ROLL_BACK, since=NOW))
    assert Move.ROLL_BACK is next_move(flying)
    assert Move.CONTRACT is next_move(change(Phase.CUT_OVER))
    assert next_move(change(Phase.EXPANDED, kind=Kind.ADDITIVE, shape=Shape())) is None
    assert next_move(change(Phase.CONTRACTED)) is None


def test_a_named_release_speaks_what_its_move_implies() -> None:
    """--release says dual with dual-write and new with cut-over, and nothing elsewhere."""
    assert (Speaks.DUAL, Speaks.NEW, None) == (implied(Move.DUAL_WRITE), implied(Move.CUT_OVER), implied(Move.EXPAND))


def test_judgement_of_a_contract_within_the_window() -> None:
    """A closed window says since when, until when and what to type; the document carries the same."""
    opened = NOW - timedelta(hours=1)
    state = change(Phase.CUT_OVER, window=Window(DAY, opened))
    new = release(Color.GREEN, "v3", Speaks.NEW)
    found = judge(
        facts(
            Move.CONTRACT,
            state,
            releases={Color.GREEN: new},
            weights=Weights.toward(Color.GREEN),
            recorded=Weights.toward(Color.GREEN),
        )
    )
    assert ["window"] == [verdict.gate for verdict in found.shut]
    assert opened + DAY == found.opens_at
    assert f"ec gate {NAME} contract --wait 23h" == found.next_command
    document = found.document()
    assert (False, "2026-11-25T11:00:00+00:00") == (document["open"], document["opens_at"])
    assert "EC360 window is closed: the rollback window closes at 2026-11-25 11:00:00 UTC, in 23h" == str(found.shut[0])


def test_an_open_judgement_says_again_what_it_was_asked_with() -> None:
    """The command to type next names the release, or the triggers; a move that is resumed wants neither."""
    state = change(Phase.EXPANDED)
    dual = release(Color.GREEN, "v2", Speaks.DUAL)
    assert f"ec advance {NAME} --release v2" == judge(facts(Move.DUAL_WRITE, state, release=dual)).next_command
    by = Asked(move=Move.DUAL_WRITE, by_database=True)
    assert f"ec advance {NAME} --by database" == judge(facts(Move.DUAL_WRITE, state, asked=by)).next_command
    flying = change(Phase.EXPANDED, in_flight=InFlight(move=Move.DUAL_WRITE, since=NOW))
    assert f"ec advance {NAME}" == judge(facts(Move.DUAL_WRITE, flying, release=dual)).next_command
    assert "" == ask((), facts(Move.DUAL_WRITE, state)).flags


@pytest.mark.parametrize("version", ["", " ", "v 2", "v2\n"])
def test_a_version_is_one_word(version: str) -> None:
    """Nothing else can name a release."""
    with pytest.raises(UsageError, match="names no release"):
        check_version(version)
    assert "v2" == check_version("v2")


def test_a_judgement_that_is_open_names_the_move_itself() -> None:
    """What to type next is the move; unknown facts never open a gate, and no time is promised for them."""
    found = judge(facts(Move.EXPAND, change()))
    assert (True, f"ec advance {NAME}", None) == (found.open, found.next_command, found.opens_at)
    assert f"ec rollback {NAME}" == judge(facts(Move.ROLL_BACK, change(Phase.BACKFILLED))).next_command
    closed = judge(facts(Move.EXPAND, change(), integrity=None))
    assert State.UNKNOWN is closed.shut[0].answer.state
    assert (None, f"ec gate {NAME} expand") == (closed.opens_at, closed.next_command)
