"""Blue and green, and how the traffic is shared between them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from expandcontract.errors import UsageError

FULL = 100


class Color(StrEnum):
    """One of the two deployment slots."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Color:
        """The opposite slot."""
        return Color.GREEN if self is Color.BLUE else Color.BLUE


@dataclass(frozen=True, slots=True)
class Weights:
    """Whole per cents of the traffic that each color gets; they add up to 100.

    0/0 is an outage at Envoy and HAProxy and is accepted by Kubernetes and ALB, so it cannot be built.

    Raises:
        UsageError: A weight is not a whole number from 0 to 100, or they do not add up to 100.
    """

    blue: int
    green: int

    def __post_init__(self) -> None:
        whole = all(type(weight) is int and 0 <= weight <= FULL for weight in (self.blue, self.green))
        if not whole or self.blue + self.green != FULL:
            msg = f"weights must be whole per cents that add up to 100, not blue {self.blue}, green {self.green}"
            raise UsageError(msg)

    @classmethod
    def toward(cls, color: Color, percent: int = FULL) -> Weights:
        """The weights that give ``color`` that many per cent and the other color the rest."""
        return cls(percent, FULL - percent) if color is Color.BLUE else cls(FULL - percent, percent)

    def of(self, color: Color) -> int:
        """Per cent of the traffic that ``color`` gets."""
        return self.blue if color is Color.BLUE else self.green

    @property
    def live(self) -> Color | None:
        """The color with all the traffic, or ``None`` while a shift is under way."""
        if FULL not in (self.blue, self.green):
            return None
        return Color.BLUE if self.blue == FULL else Color.GREEN

    def document(self) -> dict[str, int]:
        """As a JSON-ready mapping."""
        return {"blue": self.blue, "green": self.green}

    def __str__(self) -> str:
        return f"blue {self.blue} %, green {self.green} %"
