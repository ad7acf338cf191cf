"""The staged shift, on a switch in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.core.facts import ColorHealth
from expandcontract.errors import AbortedError, SwitchError, TrafficError, UnhealthyError, UnsavedError
from expandcontract.traffic.memory import MemorySwitch
from expandcontract.traffic.orders import Order, Word
from expandcontract.traffic.shift import Checked, Held, Intent, Resumed, Written, shift
from expandcontract.traffic.switch import Abilities

NOW = timedelta()


def _well(color: Color) -> ColorHealth:
    return ColorHealth(color=color, ok=True, evidence="200")


def test_stage_by_stage() -> None:
    """Each stage is intended, written, read back and checked, in that order."""
    switch = MemorySwitch()
    events = list(shift(switch, toward=Color.GREEN, steps=(10, 50, 100), soak=NOW, check=_well))
    assert [Weights(90, 10), Weights(50, 50), Weights(0, 100)] == switch.written
    assert switch.written == [event.weights for event in events if isinstance(event, Intent)]
    assert switch.written == [event.weights for event in events if isinstance(event, Written)]
    assert len(switch.written) <= sum(isinstance(event, Checked) for event in events)


def test_the_intent_is_older_than_its_effect() -> None:
    """Nothing is written before the caller has had the chance to save the intent."""
    switch = MemorySwitch()
    steps = shift(switch, toward=Color.GREEN, steps=(50, 100), soak=NOW, check=_well)
    for event in steps:
        if isinstance(event, Intent):
            assert event.weights not in switch.written


def test_a_sick_color_sends_the_traffic_back() -> None:
    """A color that fails its check after a stage loses the traffic it was given."""
    switch = MemorySwitch()

    def check(color: Color) -> ColorHealth:
        return ColorHealth(color=color, ok=switch.read().of(color) < 50, evidence="503")

    with pytest.raises(TrafficError):
        list(shift(switch, toward=Color.GREEN, steps=(10, 50, 100), soak=NOW, check=check))
    assert Weights(100, 0) == switch.read()
    assert Weights(0, 100) not in switch.written


def test_a_refused_write_sends_the_traffic_back() -> None:
    """A balancer that refuses a stage ends where it began."""
    switch = MemorySwitch()
    steps = shift(switch, toward=Color.GREEN, steps=(10, 100), soak=NOW, check=_well)
    while next(steps) != Intent(Weights(0, 100)):
        pass
    switch.fail_writes = 1
    with pytest.raises(TrafficError):
        list(steps)
    assert Weights(100, 0) == switch.read()


class Torn(MemorySwitch):
    """Its file says other weights than are in force, until it is written again."""

    def read(self) -> Weights:
        """What is in force, once something was written."""
        if not self.written:
            msg = "a restart would change the traffic"
            raise UnsavedError(msg, running=self.weights.document())
        return self.weights


def test_a_write_that_was_torn_is_gone_on_from() -> None:
    """A shift that was killed between file and balancer goes on from what is in force."""
    switch = Torn(Weights(50, 50))
    list(shift(switch, toward=Color.GREEN, steps=(10, 50, 100), soak=NOW, check=_well))
    assert [Weights(50, 50), Weights(0, 100)] == switch.written


def test_all_or_nothing() -> None:
    """A balancer without weights is given the last stage only."""
    switch = MemorySwitch()
    switch.abilities = Abilities(gradual=False)  # type: ignore[attr-defined]
    list(shift(switch, toward=Color.GREEN, steps=(10, 50, 100), soak=NOW, check=_well))
    assert [Weights(0, 100)] == switch.written


class Told:
    """Orders, one a look; the last one stands."""

    def __init__(self, *orders: Order) -> None:
        self.left = list(orders)

    def __call__(self) -> Order:
        """The next one."""
        return self.left.pop(0) if len(self.left) > 1 else self.left[0]


GO, PAUSE, ABORT = Order(), Order(Word.PAUSE, "by ann: lunch"), Order(Word.ABORT, "by ann: too slow")


def test_paused_and_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause after the first stage keeps its weights, is told once, and the shift goes on afterwards."""
    monkeypatch.setattr("expandcontract.traffic.shift.LOOK_S", 0.01)
    switch = MemorySwitch()
    orders = Told(GO, PAUSE, PAUSE, PAUSE, GO)
    events = list(shift(switch, toward=Color.GREEN, steps=(10, 100), soak=NOW, check=_well, orders=orders))
    told = [event for event in events if isinstance(event, (Held, Resumed))]
    assert [Held(Weights(90, 10), PAUSE), Resumed(Weights(90, 10))] == told
    assert events.index(told[0]) > events.index(Written(Weights(90, 10)))
    assert events.index(told[1]) < events.index(Intent(Weights(0, 100)))
    assert Weights(0, 100) == switch.read()


def test_a_paused_shift_begun_again_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed while paused and run again, it stays where it is until it is resumed."""
    monkeypatch.setattr("expandcontract.traffic.shift.LOOK_S", 0.01)
    switch = MemorySwitch(Weights(90, 10))
    steps = shift(switch, toward=Color.GREEN, steps=(10, 100), soak=NOW, check=_well, orders=Told(PAUSE))
    assert Held(Weights(90, 10), PAUSE) == next(steps)
    assert [] == switch.written


@pytest.mark.parametrize("orders", [(ABORT,), (GO, GO, ABORT), (GO, PAUSE, ABORT)])
def test_aborted(monkeypatch: pytest.MonkeyPatch, orders: tuple[Order, ...]) -> None:
    """Whenever it is told to, also while paused, it goes back to where it began and says who wanted that."""
    monkeypatch.setattr("expandcontract.traffic.shift.LOOK_S", 0.01)
    switch = MemorySwitch()
    with pytest.raises(AbortedError, match=r"by ann: too slow; the traffic was taken back: blue 100 %") as aborted:
        list(shift(switch, toward=Color.GREEN, steps=(10, 100), soak=NOW, check=_well, orders=Told(*orders)))
    assert (5, "EC507") == (aborted.value.exit_code, aborted.value.code)
    assert Weights(100, 0) == switch.read()


def test_moved_by_someone_else_meanwhile() -> None:
    """Weights that are not what the last stage wrote end the shift: it goes back to where it began."""
    switch = MemorySwitch()
    steps = shift(switch, toward=Color.GREEN, steps=(10, 50, 100), soak=NOW, check=_well)
    while next(steps) != Written(Weights(90, 10)):
        pass
    switch.weights = Weights(70, 30)
    with pytest.raises(SwitchError, match=r"someone else moved .* given blue 90 %, green 10 % and reads blue 70 %"):
        list(steps)
    assert Weights(100, 0) == switch.read()


def test_without_a_way_back() -> None:
    """Where what served before does not fit, nothing goes back to it, whatever fails."""
    switch = MemorySwitch()

    def check(color: Color) -> ColorHealth:
        return ColorHealth(color=color, ok=False, evidence="503")

    with pytest.raises(UnhealthyError, match=r"green failed its check at 100 %: 503$"):
        list(shift(switch, toward=Color.GREEN, steps=(100,), soak=NOW, check=check, back=False))
    assert Weights(0, 100) == switch.read()
