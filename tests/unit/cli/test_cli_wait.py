"""``--wait`` asks again until open, ends in time, and does not wait for what cannot come."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from expandcontract.cli.wait import LONGEST, SHORTEST, pause, until_open
from expandcontract.core.gate import State
from tests.unit.cli.fake import judgement

if TYPE_CHECKING:
    from expandcontract.core.plan import Judgement


def shut_until(later: timedelta | None) -> Judgement:
    """A closed judgement that tells when it can open."""
    found = judgement(opened=False)
    answer = replace(
        found.verdicts[1].answer, state=State.CLOSED, opens_at=None if later is None else found.now + later
    )
    return replace(found, verdicts=(found.verdicts[0], replace(found.verdicts[1], answer=answer)))


def test_open_ends_the_wait() -> None:
    """An open gate is not asked again."""
    assert pause(judgement(opened=True), timedelta(hours=1)) is None


def test_an_opening_after_the_deadline_is_not_waited_for() -> None:
    """Where the gates say that they open too late, the answer comes at once."""
    assert pause(shut_until(timedelta(hours=2)), timedelta(hours=1)) is None


def test_pause_is_bounded() -> None:
    """The pause is never so short that the database is pestered, nor so long that the opening is missed."""
    assert timedelta(seconds=4) == pause(shut_until(timedelta(seconds=4)), timedelta(hours=1))
    assert SHORTEST == pause(shut_until(timedelta(milliseconds=1)), timedelta(hours=1))
    assert LONGEST == pause(shut_until(timedelta(minutes=30)), timedelta(hours=1))
    assert LONGEST == pause(shut_until(None), timedelta(hours=1))
    assert timedelta(seconds=3) == pause(shut_until(None), timedelta(seconds=3))


def test_asks_until_open() -> None:
    """The first open answer is given."""
    answers = [shut_until(None), shut_until(None), judgement(opened=True)]
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    found = until_open(lambda: answers.pop(0), timedelta(minutes=10), sleep=sleep, clock=lambda: clock[0])
    assert found.open
    assert clock == [30.0]


def test_gives_up_in_time() -> None:
    """The last answer is given when the budget has passed, and no sooner."""
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    found = until_open(lambda: shut_until(None), timedelta(seconds=40), sleep=sleep, clock=lambda: clock[0])
    assert not found.open
    assert clock == [40.0]


def test_without_a_budget_it_asks_once() -> None:
    """No ``--wait``, no waiting."""
    answers = [shut_until(None)]
    assert not until_open(lambda: answers.pop(0), None).open
