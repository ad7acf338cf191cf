"""``ec verify``."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from expandcontract.cli.options import Change, Json
from expandcontract.cli.play import play
from expandcontract.cli.session import runner
from expandcontract.cli.show_passes import show_passes
from expandcontract.cli.words import duration
from expandcontract.errors import UsageError
from expandcontract.runner.events import Event

EVERY = "30s"


def command(  # one flag each
    ctx: typer.Context,
    change: Change,
    *,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Threads that compare.")] = None,
    watched: Annotated[
        bool, typer.Option("--watch", "-w", help="Count again and again, while both shapes live.")
    ] = False,
    every: Annotated[
        str | None, typer.Option("--every", metavar=EVERY, help="With --watch: the rest between two passes.")
    ] = None,
    json: Json = False,
) -> None:
    """Count the rows on which old and new shape differ; exit 1 if any is left.

    Before cut-over it repairs the new shape from the old one and counts again; after it, it only counts. With --watch
    it only counts, one line a pass, until the change has no two shapes any more or Ctrl-C; exit 1 if any pass counted
    rows.
    """
    if every is not None and not watched:
        msg = "--every is the rest between two passes, and without --watch there is one"
        raise UsageError(msg, hint=f"ec verify {change} --watch --every {every}")
    rest = duration(every or EVERY)
    asked = runner(ctx, backfill=None if workers is None else {"workers": workers})
    found: list[Event] = []
    if watched and rest is not None:
        show_passes(noted(asked.verify_again(change, rest), found), json=json)
    else:
        left = f"nothing is lost; ec verify {change} counts from the start"
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
