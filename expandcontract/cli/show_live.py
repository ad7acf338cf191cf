"""Progress on a terminal: one bar, and below it what each worker of this process is about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich import progress as rich_progress
from rich.console import Group
from rich.live import Live as RichLive
from rich.table import Table
from rich.text import Text

from expandcontract.cli.figures import figures, number
from expandcontract.cli.show_events import Progressing, heading

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from expandcontract.runner.events import Event

MS = 1000
COLUMNS = ("WORKER", "ROWS", "BATCHES", "LAST BATCH", "PAGES", "")


class Live(Progressing):
    """A live view, gone while other lines are written.

    Args:
        console: Where; default: standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console
        self._live: RichLive | None = None
        self._bar = rich_progress.Progress(
            "  {task.description}",
            rich_progress.BarColumn(),
            "{task.percentage:>3.0f} %",
            "{task.fields[figures]}",
        )
        self._task: Any = None

    def show(self, event: Event) -> None:
        """Move the bar to where ``event`` says."""
        if self._live is None:
            self._live = RichLive(console=self._console, auto_refresh=False, transient=False)
            self._live.start()
            self._task = self._bar.add_task(heading(event), total=None, figures="")
        self._bar.update(
            self._task,
            description=heading(event),
            completed=number(event.data.get("done")),
            total=number(event.data.get("total")) or None,
            figures=figures(event.data),
        )
        self._live.update(view(self._bar, event.data.get("workers")), refresh=True)

    def pause(self) -> None:
        """End the view, leaving its last state on the screen; the next progress begins another."""
        if self._live is not None:
            self._live.update(self._bar, refresh=True)
            self._live.stop()
            self._live = None
            self._bar.remove_task(self._task)


def view(bar: RenderableType, workers: object) -> RenderableType:
    """The bar, and a row for each worker that is known."""
    lanes = workers if isinstance(workers, (list, tuple)) else ()
    if not lanes:
        return bar
    table = Table(box=None, pad_edge=False, padding=(0, 2), header_style="dim")
    for head in COLUMNS:
        table.add_column(head, justify="left" if head in {"WORKER", ""} else "right")
    for lane in lanes:
        table.add_row(*(Text(cell) for cell in cells(lane)))
    return Group(bar, table)


def cells(lane: dict[str, Any]) -> tuple[str, ...]:
    """A worker's row."""
    return (
        str(lane["worker"]),
        f"{lane['rows']:,}",
        f"{lane['batches']:,}",
        f"{lane['batch_s'] * MS:.0f} ms",
        f"{lane['batch_pages']:,}",
        str(lane["doing"]),
    )
