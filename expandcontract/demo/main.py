"""Runs the demo: builds the house, tells the story, shows the figures, and leaves nothing running."""

from __future__ import annotations

import signal
from contextlib import nullcontext
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live

from expandcontract.demo.house import house
from expandcontract.demo.report import document, render
from expandcontract.demo.story import Story
from expandcontract.demo.view import View
from expandcontract.errors import ExpandContractError

if TYPE_CHECKING:
    from types import FrameType

INTERRUPTED = 130


def run(
    *, rows: int = 200_000, json: bool = False, keep: str | None = None, port: int | None = None, window: str = "15s"
) -> int:
    """Take ``full_name`` to ``display_name`` under load; returns the exit code.

    Args:
        rows: Rows of the table.
        json: Print one document at the end and nothing else.
        keep: The project's folder, left behind; default a temporary one.
        port: Of the proxy; default a free one.
        window: The rollback window's length.

    Returns:
        0 only where no request failed and no write was lost; 130 after Ctrl-C.
    """
    console = Console(quiet=json)
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with house(window, Path(keep).resolve() if keep else None, port) as built:
            live_view = console.is_terminal and not json
            story = Story(built, rows, _quiet if live_view else console.print)
            error = ""
            with Live(View(story), console=console, refresh_per_second=4) if live_view else nullcontext():
                try:
                    story.run()
                except ExpandContractError as exc:
                    error = exc.message
            found = document(story, error)
    except KeyboardInterrupt:
        Console(stderr=True).print("interrupted; everything that was started has been ended")
        return INTERRUPTED
    finally:
        signal.signal(signal.SIGTERM, before)
    if json:
        print(dumps(found, indent=2))  # noqa: T201  # the document is the output
    else:
        console.print(render(found))
        if error:
            console.print(f"[red]{error}[/red]")
        for fault in found["faults"]:  # type: ignore[attr-defined]
            console.print(f"[red]{fault}[/red]")
    return 0 if found["ok"] else 1


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _quiet(_line: str) -> None:
    """The live view shows the lines."""
