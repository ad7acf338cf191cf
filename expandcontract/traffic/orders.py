"""What a shift under way has been told from elsewhere: to go on, to stay where it is, or to go back."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Word(StrEnum):
    """One of the three."""

    GO_ON = "go on"
    PAUSE = "pause"
    ABORT = "abort"


@dataclass(frozen=True, slots=True)
class Order:
    """What was said last.

    Attributes:
        word: What to do.
        said: By whom, since when and why; empty where nobody said anything.
    """

    word: Word = Word.GO_ON
    said: str = ""


GO_ON = Order()


def none() -> Order:
    """For a shift that nobody can reach."""
    return GO_ON
