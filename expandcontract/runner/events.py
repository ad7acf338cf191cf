"""What a moving command tells while it works."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: began, step, gate, intent, waiting, traffic, health, progress, deployed, sealed, finished or note.
        text: In words.
        change: The change it is about, if one.
        data: The figures, JSON-ready.
    """

    kind: str
    text: str
    change: str | None = None
    data: dict[str, object] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """As a JSON-ready mapping."""
        return {"kind": self.kind, "text": self.text, "change": self.change, "data": self.data}


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The files that a recipe wrote.

    Attributes:
        paths: Expand first.
        notes: What the developer should know before they are applied.
    """

    paths: tuple[Path, ...]
    notes: tuple[str, ...]
