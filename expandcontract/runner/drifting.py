"""Traffic that somebody else moved, told also where no move is left that a gate would stand before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core import serving
from expandcontract.core.gate import State, Verdict
from expandcontract.core.gates.ground import TRAFFIC_DRIFT
from expandcontract.errors import RefusedError
from expandcontract.runner.observe import merged, read_weights

if TYPE_CHECKING:
    from expandcontract.core.change import ChangeState
    from expandcontract.core.gate import Answer
    from expandcontract.ledger import Ledger
    from expandcontract.runner.place import Place


def look(place: Place, ledger: Ledger, *, files: bool = True) -> Answer | None:
    """What the gate says of the traffic as it stands; ``None`` where no switch is configured or nothing is amiss."""
    if place.switch is None:
        return None
    weights, why = read_weights(place)
    changes = merged(place, ledger) if files else ledger.changes()
    wrong = {} if weights is None else serving.unfit(weights, ledger.releases(), changes)
    moving = any(change.in_flight is not None for change in changes)
    answer = serving.drift(weights, ledger.weights(), why, moving=moving, wrong=wrong)
    return None if answer.state is State.OPEN else answer


def document(place: Place, ledger: Ledger, *, files: bool = True) -> dict[str, object] | None:
    """The same as a JSON-ready mapping."""
    answer = look(place, ledger, files=files)
    return None if answer is None else _verdict(answer).document()


def refuse(place: Place, ledger: Ledger, change: ChangeState) -> None:
    """Make sure that the traffic stands as it was left.

    Raises:
        RefusedError: Somebody else moved it; not where it cannot be read, for nothing is to be moved.
    """
    answer = look(place, ledger)
    if answer is None or answer.state is State.UNKNOWN:
        return
    found: dict[str, object] = {
        "change": change.name,
        "phase": str(change.phase),
        "next": answer.next,
        "gates": [_verdict(answer).document()],
    }
    msg = f"{change.name} is {change.phase}, but the traffic is not as it was left: {answer.reason}"
    raise RefusedError(msg, hint=answer.next, document=found)


def _verdict(answer: Answer) -> Verdict:
    return Verdict(gate=TRAFFIC_DRIFT.name, code=TRAFFIC_DRIFT.code, answer=answer)
