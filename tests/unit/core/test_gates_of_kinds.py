"""Gates about changes that map nothing: fills, moves between tables, coming rules, and names that trade places."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from expandcontract.core.facts import Finding
from expandcontract.core.fill import Fill
from expandcontract.core.gate import Gate, State
from expandcontract.core.gates import data, release
from expandcontract.core.phase import Kind, Move, Phase
from expandcontract.core.shape import Shape
from expandcontract.core.transfer import Transfer
from tests.unit.core.factory import NAME, change, facts

if TYPE_CHECKING:
    from expandcontract.core.change import ChangeState

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
