"""When a shift is done: nothing is in flight on the color that lost the traffic, and its role begins nothing any more.

Never by the clock: whoever goes on beginning transactions there is named until it stops, or somebody aborts the shift.
Sessions that are only idle may stay, they are the warm way back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.errors import SwitchError
from expandcontract.pg import census, roles
from expandcontract.traffic.switch import in_flight

if TYPE_CHECKING:
    from datetime import datetime

    from expandcontract.core.color import Color
    from expandcontract.core.facts import Session
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place

LOOKS = 3
"""In a row without a find, where the balancer does not count: a request may be on its way to the database."""
SHOWN = 5


@dataclass
class Emptying:
    """Looks at the color that lost the traffic.

    Attributes:
        place: Where.
        mover: Whose connection is used.
        color: The color.
    """

    place: Place
    mover: Mover
    color: Color
    _since: datetime | None = None
    _quiet: int = 0
    _connected: bool = False

    def __call__(self) -> str:
        """What it is still at; empty once it is at nothing."""
        flying, found = self._in_flight(), self._transactions()
        busy = [said for said in (flying, found) if said]
        if busy:
            self._quiet = 0
            return f"{self.color} is still at work: {'; '.join(busy)}"
        self._quiet += 1
        unsure = flying is None and self._connected and self._quiet < LOOKS
        return f"making sure that nothing more begins on {self.color}" if unsure else ""

    @property
    def _role(self) -> str | None:
        """The role whose transactions are this color's alone."""
        own, other = (self.place.settings.color(color).role for color in (self.color, self.color.other))
        return own if own != other else None

    def _in_flight(self) -> str | None:
        """Its requests in flight in words; empty where there are none, ``None`` where the balancer does not count."""
        try:
            count = in_flight(self.place.needed_switch(), self.color)
        except SwitchError as exc:
            return exc.message
        return None if count is None else f"{count} requests in flight" if count else ""

    def _transactions(self) -> str:
        """Who has begun a transaction since the last look that found any, at first since the last write."""
        role = self._role
        if role is None:
            return ""
        with self.mover.reading() as ledger:
            since = self._since or ledger.weights_read_at() or ledger.now()
            now = ledger.now()
            self._connected = bool(census.sessions(self.mover.connection, (role,)))
            sessions = census.begun(self.mover.connection, role, since)
            grant = roles.sees_transactions(self.mover.connection)
        hidden = [session for session in sessions if session.state == "unknown"]
        if hidden:
            return f"the transactions of {len(hidden)} sessions of {role} are hidden; as a superuser: {grant}"
        self._since = now if sessions else since
        named = ", ".join(map(_named, sessions[:SHOWN]))
        return f"{role} goes on beginning transactions: {named}" if sessions else ""


def _named(session: Session) -> str:
    application = f" ({session.application})" if session.application else ""
    return f"backend {session.pid} from {session.address}{application}"
