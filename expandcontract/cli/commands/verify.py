"""``ec verify``."""

from collections.abc import Iterable, Iterator

import typer

from expandcontract.cli.options import Change, Json
from expandcontract.cli.play import play
from expandcontract.cli.session import runner
from expandcontract.runner.events import Event


def command(ctx: typer.Context, change: Change, *, json: Json = False) -> None:
    """Count the rows on which old and new shape differ; exit 1 if any is left.

    Before cut-over it repairs the new shape from the old one and counts again; after it, it only counts.
    """
    asked = runner(ctx)
    left = f"nothing is lost; ec verify {change} counts from the start"
    found: list[Event] = []
    play(noted(asked.verify(change), found), json=json, status=lambda: asked.status(change), left=left)
    if any(event.data.get("differing") for event in found):
        raise typer.Exit(1)


def noted(events: Iterable[Event], found: list[Event]) -> Iterator[Event]:
    """The same events; what each table and rule came to is kept, for the last one does not speak for the others."""
    try:
        for event in events:
            if event.kind == "step":
                found.append(event)
            yield event
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()
