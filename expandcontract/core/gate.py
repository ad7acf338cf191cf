"""A gate: a named check of measured facts. Not knowing counts as closed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from expandcontract.core.facts import Facts


class State(StrEnum):
    """What a gate says."""

    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a gate's function found.

    Attributes:
        state: Open, closed, or unknown.
        reason: The finding in words, with names and values.
        measured: The measured value, as text; empty where there is none.
        limit: What it is held against, as text.
        opens_at: The earliest time at which the gate can open, where that is known.
        next: The command to run next.
    """

    state: State
    reason: str
    measured: str = ""
    limit: str = ""
    opens_at: datetime | None = None
    next: str = ""


def opened(reason: str, *, measured: str = "", limit: str = "") -> Answer:
    """The gate is open."""
    return Answer(state=State.OPEN, reason=reason, measured=measured, limit=limit)


def closed(
    reason: str, *, measured: str = "", limit: str = "", opens_at: datetime | None = None, next_: str = ""
) -> Answer:
    """The gate is closed."""
    return Answer(state=State.CLOSED, reason=reason, measured=measured, limit=limit, opens_at=opens_at, next=next_)


def unknown(reason: str, *, next_: str = "") -> Answer:
    """The fact could not be measured, so the gate does not open."""
    return Answer(state=State.UNKNOWN, reason=reason, next=next_)


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate's name and code, and the function that decides it. Every gate has one page in the docs."""

    name: str
    code: str
    decide: Callable[[Facts], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One gate's answer under its name."""

    gate: str
    code: str
    answer: Answer

    @property
    def open(self) -> bool:
        """Whether the gate lets the move through."""
        return self.answer.state is State.OPEN

    def __str__(self) -> str:
        return f"{self.code} {self.gate} is {self.answer.state}: {self.answer.reason}"

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping."""
        return {
            "gate": self.gate,
            "code": self.code,
            "state": str(self.answer.state),
            "reason": self.answer.reason,
            "measured": self.answer.measured,
            "limit": self.answer.limit,
            "opens_at": self.answer.opens_at.isoformat() if self.answer.opens_at else None,
            "next": self.answer.next,
        }
