"""A shift of the traffic under way: where it came from, and what it was told meanwhile, by whom.

One row, from before the first write until the traffic stands where it should or is back. Whoever tells it something
needs no mover lock. The caller owns the transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import text

from expandcontract.core.color import Color, Weights
from expandcontract.ledger.queries import load

if TYPE_CHECKING:
    from datetime import datetime

    from expandcontract.ledger.ledger import Ledger

QUERIES = load("expandcontract.ledger", "shifts.sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a shift was told.

    Attributes:
        at: When, on the database's clock.
        by: By whom.
        why: In their words, where they gave any.
    """

    at: datetime
    by: str
    why: str | None

    def __str__(self) -> str:
        return f"by {self.by} at {self.at:%Y-%m-%d %H:%M:%S %Z}" + (f": {self.why}" if self.why else "")

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping."""
        return {"at": self.at.isoformat(), "by": self.by, "why": self.why}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """A shift that has begun and not ended.

    Attributes:
        toward: The color that is to get the traffic.
        origin: Where it began, and goes back to.
        began_at: When, on the database's clock.
        paused: Who let it stay where it is; ``None`` where nobody did.
        aborted: Who sent it back; ``None`` where nobody did.
    """

    toward: Color
    origin: Weights
    began_at: datetime
    paused: Told | None
    aborted: Told | None

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping."""
        return {
            "toward": str(self.toward),
            "origin": dict(self.origin.document()),
            "began_at": self.began_at.isoformat(),
            "paused": self.paused.document() if self.paused else None,
            "aborted": self.aborted.document() if self.aborted else None,
        }


def under_way(ledger: Ledger) -> Shift | None:
    """The shift that has begun and not ended; ``None`` where there is none."""
    row = ledger.connection.execute(text(QUERIES["shift"])).one_or_none()
    if row is None:
        return None
    return Shift(
        toward=Color(row.toward),
        origin=Weights(row.blue, row.green),
        began_at=row.began_at,
        paused=_told(row.paused_at, row.paused_by, row.paused_why),
        aborted=_told(row.aborted_at, row.aborted_by, row.aborted_why),
    )


def _told(at: datetime | None, by: str | None, why: str | None) -> Told | None:
    return None if at is None else Told(at=at, by=by or "somebody", why=why)


def begin(ledger: Ledger, toward: Color, origin: Weights) -> None:
    """Save that a shift toward ``toward`` begins; one that was broken off goes on as it was. May run twice."""
    values = {"toward": toward, **origin.document()}
    ledger.connection.execute(text(QUERIES["begin"]), values)


def end(ledger: Ledger) -> None:
    """Save that no shift is under way. May run twice."""
    ledger.connection.execute(text(QUERIES["end"]))


def tell(ledger: Ledger, word: str, by: str, why: str | None) -> bool:
    """Let the shift ``pause``, ``resume`` or ``abort``; says whether there is one that can."""
    ledger.connection.execute(text("SELECT expandcontract.durable()"))
    values = {"by": by, "why": why} if word != "resume" else {}
    if ledger.connection.execute(text(QUERIES[word]), values).rowcount != 1:
        return False
    ledger.journal(f"shift_{word}", None, {"by": by, "why": why})
    return True
