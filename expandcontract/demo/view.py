"""The live view: phase timeline, weights, requests and the command being typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from expandcontract.core.phase import ORDER, Phase

if TYPE_CHECKING:
    from expandcontract.demo.story import Story


class View:
    """Drawn anew four times a second from what the story knows."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def __rich__(self) -> RenderableType:
        story, load, watch = self._story, self._story.load, self._story.watch
        timeline = Text(" ")
        reached = ORDER.index(Phase(watch.phase))
        for number, phase in enumerate(ORDER):
            style = "green" if number < reached else "bold cyan" if number == reached else "dim"
            timeline.append(f"{'●' if number <= reached else '○'} {phase}  ", style=style)
        if watch.move:
            timeline.append(f"  {watch.move} in flight", style="yellow")
        facts = Table.grid(padding=(0, 3))
        facts.add_row(
            Text(f"blue {watch.blue} %", style="blue"),
            Text(f"green {watch.green} %", style="green"),
            f"requests {load.requests}",
            Text(f"failed {load.failed}", style="red" if load.failed else ""),
            Text(f"stale {load.stale}", style="red" if load.stale else ""),
            f"rows filled {watch.rows}",
            f"longest lock wait {watch.longest_wait * 1000:.0f} ms",
            f"{story.seconds:.0f} s",
        )
        filled = ProgressBar(total=story.rows, completed=min(watch.rows, story.rows), width=60)
        lines = Text("\n".join(story.lines), overflow="ellipsis", no_wrap=True)
        return Group(timeline, facts, filled, Panel(lines, title=story.chapter, height=8))
