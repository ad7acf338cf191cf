"""``ec backfill``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Change, Json
from expandcontract.cli.play import play, resumable
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner
from expandcontract.cli.show_status import show_backfill
from expandcontract.cli.words import duration, told


def command(  # one flag each
    ctx: typer.Context,
    change: Change,
    word: Annotated[str | None, typer.Argument(metavar="[pause|resume|set]", help="Steer one that runs.")] = None,
    *,
    workers: Annotated[
        int | None, typer.Option("--workers", min=0, help="Threads of each process; 0: as configured.")
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", metavar="50ms", help="With set: how long a batch should take.")
    ] = None,
    why: Annotated[str | None, typer.Option("--why", metavar="TEXT", help="With pause: shown to whoever asks.")] = None,
    json: Json = False,
) -> None:
    """Fill the new shape in batches, prove it equal to the old one, then seal it.

    The same move that ec advance makes from dual_writing; run again, it goes on where it stopped. With pause, resume or
    set it steers the one that runs, in whatever process, and returns at once.
    """
    asked_for = told(word, workers=workers, target=target, why=why)
    if asked_for is None:
        asked = runner(ctx, backfill=None if workers is None else {"workers": workers})
        play(asked.backfill(change), json=json, status=lambda: asked.status(change), left=resumable([change]))
        return
    document = runner(ctx).steer(change, asked_for, workers=workers, target=duration(target), why=why)
    if json:
        emit(document)
    else:
        show_backfill(screen(), change, document)
