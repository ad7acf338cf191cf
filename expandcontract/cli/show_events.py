"""Events of a move, as lines; the backfill's progress as a bar with rate and time left."""

from __future__ import annotations

import os
import sys
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING

from expandcontract.cli.figures import figures, number
from expandcontract.cli.screen import is_terminal, screen

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from expandcontract.cli.screen import Screen
    from expandcontract.runner.events import Event

MARKS = {
    "began": ("▶", "bold cyan"),
    "gate": ("✓", "green"),
    "step": ("·", ""),
    "intent": ("→", "yellow"),
    "waiting": ("…", "yellow"),
    "traffic": ("⇄", "yellow"),
    "health": ("♥", "green"),
    "deployed": ("▲", "cyan"),
    "sealed": ("■", "green"),
    "finished": ("●", "bold green"),
    "note": ("!", "yellow"),
}
PLAIN_EVERY_S = 5.0
"""A log wants a line now and then, not one a batch."""


def follow(events: Iterable[Event], *, to_the_end: bool = True) -> dict[str, object]:
    """Show every event as it comes; give the figures of the last one.

    Args:
        events: From the runner.
        to_the_end: Go on where nobody reads any more, for the work is done while the events are consumed.
    """
    last: dict[str, object] = {}
    terminal = is_terminal(sys.stdout)
    out: Screen = Steady(screen()) if to_the_end else screen()
    with _live() if terminal else Lines(out) as progress:
        for event in events:
            last = event.data
            if event.kind == "progress":
                progress.show(event)
                continue
            progress.pause()
            mark, style = MARKS.get(event.kind, ("·", ""))
            out.line(f"{mark} {event.text}", style)
    return last


def _live() -> Progressing:
    from expandcontract.cli.show_live import Live  # noqa: PLC0415 - only terminals need Rich

    return Live()


class Steady:
    """A screen that may go away: the work that is told of goes on to its end.

    ``ec advance X | head -1`` closes the pipe in the middle of a move; half a shift would help nobody.
    """

    def __init__(self, screen_: Screen) -> None:
        self.screen = screen_

    def line(self, text: str = "", style: str = "") -> None:
        """Write one line; once nobody reads, say so on standard error and write no more."""
        try:
            self.screen.line(text, style)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            with suppress(OSError):
                sys.stderr.write("nobody reads the output any more; the work goes on to its end\n")
                sys.stderr.flush()

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write rows under their heads."""
        self.screen.table(heads, rows)


def heading(event: Event) -> str:
    """What the progress is of: ``filling``, or ``comparing, pass 2``."""
    return event.text if "pass" in event.data else "filling"


class Progressing(ABC):
    """Progress between two other lines."""

    @abstractmethod
    def show(self, event: Event) -> None:
        """Take in a ``progress`` event."""

    @abstractmethod
    def pause(self) -> None:
        """Leave the last of it on the screen; another line follows, or the end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pause()


class Lines(Progressing):
    """Progress where nobody watches: a line every few seconds, and the last one."""

    def __init__(self, out: Screen) -> None:
        self.out = out
        self.shown_at = 0.0
        self.waiting: Event | None = None

    def show(self, event: Event) -> None:
        """Print ``event``, or keep it until enough time has passed."""
        if self.waiting is not None and heading(self.waiting) != heading(event):
            self.pause()
        self.waiting = event
        if time.monotonic() - self.shown_at >= PLAIN_EVERY_S:
            self.pause()

    def pause(self) -> None:
        """Print what was kept back."""
        if self.waiting is None:
            return
        data = self.waiting.data
        done, total = number(data.get("done")), number(data.get("total"))
        share = f"{done / total:.0%}, " if total else ""
        self.out.line(f"  {heading(self.waiting)}: {share}{figures(data)}".rstrip(", "))
        self.shown_at = time.monotonic()
        self.waiting = None
