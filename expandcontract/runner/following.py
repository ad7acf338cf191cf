"""What a shift does, saved and told in that order; and what it has been told, read from the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.runner.events import Event
from expandcontract.traffic.orders import GO_ON, Order, Word
from expandcontract.traffic.shift import Busy, Held, Intent, Resumed, Written
from expandcontract.traffic.watch import Checked, Waits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from expandcontract.core.color import Weights
    from expandcontract.ledger import shifts
    from expandcontract.runner.mover import Mover
    from expandcontract.traffic.shift import Event as Shifting


def strange(mover: Mover, found: Weights) -> Iterator[Event]:
    """Before anything else: say and keep what the balancer reads, where the ledger last read something else."""
    with mover.reading() as ledger:
        recorded = ledger.weights()
    if recorded is None or recorded == found:
        return
    with mover.writing() as ledger:
        ledger.journal("traffic_drift", None, {"recorded": recorded.document(), "found": found.document()})
        ledger.record_weights(found)
    text = f"the balancer gives {found}, the ledger last read {recorded}; the shift goes on from what the balancer says"
    yield Event(kind="note", text=text, data=dict(found.document()))


def order(found: shifts.Shift | None) -> Order:
    """What a shift has been told, as it stands in the ledger."""
    if found is None:
        return GO_ON
    if found.aborted is not None:
        return Order(Word.ABORT, str(found.aborted))
    return Order(Word.PAUSE, str(found.paused)) if found.paused is not None else GO_ON


def followed(mover: Mover, event: Shifting, names: Sequence[str]) -> Event:
    """An event of the shift saved and told, in that order."""
    match event:
        case Intent(weights):
            with mover.writing() as ledger:
                ledger.journal("traffic_intent", None, {**weights.document(), "changes": list(names)})
            said = Event(kind="intent", text=f"setting {weights}", data=dict(weights.document()))
        case Written(weights):
            with mover.writing() as ledger:
                ledger.record_weights(weights, names)
            said = Event(kind="traffic", text=f"the balancer gives {weights}", data=dict(weights.document()))
        case Held(weights, told):
            ways = "ec switch resume goes on, ec switch abort takes the traffic back"
            text = f"paused {told.said}; the balancer keeps {weights}; {ways}"
            said = Event(kind="note", text=text, data={**weights.document(), "paused": True})
        case Resumed(weights):
            said = Event(kind="note", text=f"resumed at {weights}", data={**weights.document(), "paused": False})
        case Busy(what):
            said = Event(kind="waiting", text=f"{what}; ec switch abort takes the traffic back", data={"doing": what})
        case Waits(why, until_s):
            text = f"the stage goes on for {until_s:.0f} s at most, because it cannot be judged: {why}"
            said = Event(kind="waiting", text=text, data={"seconds": round(until_s)})
        case Checked() as stage:
            with mover.writing() as ledger:
                outcome = "stage_failed" if stage.why else "stage_passed"
                ledger.journal(outcome, None, {**stage.document(), "changes": list(names)})
            said = Event(kind="health", text=str(stage), data=stage.document())
    return said
