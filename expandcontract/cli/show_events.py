"""Events of a move, as lines; the backfill's progress as a bar with rate and time left."""

from __future__ import annotations

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, Protocol

from expandcontract.cli.screen import is_terminal, screen
from expandcontract.core.duration import in_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from rich.progress import Progress

    from expandcontract.cli.screen import Screen

MARKS = {
    "began": ("▶", "bold cyan"),
    "gate": ("✓", "green"),
    "step": ("·", ""),
    "intent": ("→", "yellow"),
    "traffic": ("⇄", "yellow"),
    "health": ("♥", "green"),
    "deployed": ("▲", "cyan"),
    "sealed": ("■", "green"),
    "finished": ("●", "bold green"),
    "note": ("!", "yellow"),
}
PLAIN_EVERY_S = 5.0
"""A log wants a line now and then, not one a batch."""


class Event(Protocol):
    """What the runner yields."""

    @property
    def kind(self) -> str:
        """One of the keys of ``MARKS``, or ``progress``."""

    @property
    def text(self) -> str:
        """One line for a person."""

    @property
    def change(self) -> str | None:
        """The change that it is about."""

    @property
    def data(self) -> dict[str, Any]:
        """The same for a machine."""


def follow(events: Iterable[Event]) -> None:
    """Show every event as it comes."""
    terminal = is_terminal(sys.stdout)
    out = screen()
    with Bar() if terminal else nullcontext(Lines(out)) as progress:
        for event in events:
            if event.kind == "progress":
                progress.show(event)
                continue
            progress.pause()
            mark, style = MARKS.get(event.kind, ("·", ""))
            out.line(f"{mark} {event.text}", style)


def number(value: object) -> float:
    """``value`` as a number; 0 where it is none."""
    return float(value) if isinstance(value, (int, float)) else 0.0


def left(value: object) -> str:
    """The time left in words; empty where it is not known."""
    if isinstance(value, (int, float)):
        from datetime import timedelta  # noqa: PLC0415 - JSON brings seconds

        return in_words(timedelta(seconds=value))
    return in_words(value) if hasattr(value, "total_seconds") else str(value or "")  # type: ignore[arg-type]


def figures(data: Mapping[str, Any]) -> str:
    """``1,234,567 rows, 312,000 rows/s, 4s left``, of what is known."""
    parts = []
    if "rows_filled" in data:
        parts.append(f"{int(number(data['rows_filled'])):,} rows")
    if number(data.get("rows_per_s")):
        parts.append(f"{int(number(data['rows_per_s'])):,} rows/s")
    remaining = left(data.get("eta"))
    return ", ".join([*parts, f"{remaining} left"] if remaining else parts)


class Lines:
    """Progress where nobody watches: a line every few seconds, and the last one."""

    def __init__(self, out: Screen) -> None:
        self.out = out
        self.shown_at = 0.0
        self.waiting: Event | None = None

    def show(self, event: Event) -> None:
        """Print ``event``, or keep it until enough time has passed."""
        self.waiting = event
        if time.monotonic() - self.shown_at >= PLAIN_EVERY_S:
            self.pause()

    def pause(self) -> None:
        """Print what was kept back."""
        if self.waiting is None:
            return
        data = self.waiting.data
        done, total = number(data.get("pages_done")), number(data.get("pages_total"))
        share = f"{done / total:.0%} " if total else ""
        self.out.line(f"  {share}{figures(data) or self.waiting.text}")
        self.shown_at = time.monotonic()
        self.waiting = None


class Bar(AbstractContextManager["Bar"]):
    """Progress on a terminal: one live bar, gone while other lines are written."""

    def __init__(self) -> None:
        self.progress: Progress | None = None
        self.task: Any = None

    def show(self, event: Event) -> None:
        """Move the bar to where ``event`` says."""
        data = event.data
        if self.progress is None:
            from rich import progress as rich_progress  # noqa: PLC0415 - only terminals need Rich

            columns = (
                "  {task.description}",
                rich_progress.BarColumn(),
                "{task.percentage:>3.0f} %",
                "{task.fields[figures]}",
            )
            self.progress = rich_progress.Progress(*columns)
            self.task = self.progress.add_task(event.change or "", total=None, figures="")
            self.progress.start()
        total = number(data.get("pages_total")) or None
        shown = figures(data) or event.text
        self.progress.update(self.task, completed=number(data.get("pages_done")), total=total, figures=shown)

    def pause(self) -> None:
        """End the bar; the next progress begins another."""
        if self.progress is not None:
            self.progress.stop()
            self.progress = None

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pause()
