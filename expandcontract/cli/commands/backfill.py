"""``ec backfill``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Change, Json, JsonLines
from expandcontract.cli.play import play, resumable
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner
from expandcontract.cli.show_course import show_course
from expandcontract.cli.show_status import show_backfill
from expandcontract.cli.words import duration, told


def command(  # one flag each
    ctx: typer.Context,
    change: Change,
    word: Annotated[
        str | None,
        typer.Argument(metavar="[pause|resume|set|history]", help="Steer one that runs, or show how it went."),
    ] = None,
    *,
    workers: Annotated[
        int | None, typer.Option("--workers", min=0, help="Threads of each process; 0: as configured.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="50ms", help="With set: how long a batch should take.")
    ] = None,
    why: Annotated[str | None, typer.Option("--why", metavar="TEXT", help="With pause: shown to whoever asks.")] = None,
    json: Json = False,
    json_lines: JsonLines = False,
) -> None:
    """Fill the new shape in batches, prove it equal to the old one, then seal it.

    The same move that ec advance makes from dual_writing; run again, it goes on where it stopped. With pause, resume or
    set it steers the one that runs, in whatever process, and returns at once; with history it shows how it has gone.
    """
    asked_for = told(word, workers=workers, target=target, why=why)
    if asked_for is None:
        asked = runner(ctx, backfill=None if workers is None else {"workers": workers})
        events, left = asked.backfill(change), resumable([change])
        play(events, json=json, lines=json_lines, status=lambda: asked.status(change), left=left)
        return
    if asked_for == "history":
        found = runner(ctx).course(change)
        emit(found) if json or json_lines else show_course(screen(), found)
        return
    document = runner(ctx).steer(change, asked_for, workers=workers, target=duration(target), why=why)
    if json or json_lines:
        emit(document)
    else:
        show_backfill(screen(), change, document)
