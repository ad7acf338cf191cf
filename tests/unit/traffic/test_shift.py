"""The staged shift, on a switch in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest

from expandcontract.core.color import Color, Weights
from expandcontract.core.facts import ColorHealth
from expandcontract.errors import TrafficError, UnsavedError
from expandcontract.traffic.memory import MemorySwitch
from expandcontract.traffic.shift import Checked, Intent, Written, shift
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
