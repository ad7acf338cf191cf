"""``ec gate``."""

from typing import Annotated

import typer

from expandcontract.cli.options import By, Change, Json, Release, Speaks
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner
from expandcontract.cli.show_gate import show_gate
from expandcontract.cli.wait import until_open
from expandcontract.cli.words import by_database, duration, move, speaks

CLOSED = 3


def command(
    ctx: typer.Context,
    change: Change,
    asked: Annotated[
        str,
        typer.Argument(metavar="MOVE", help="expand, dual-write, backfill, cut-over, contract or roll-back."),
    ],
    *,
    release: Release = None,
    by: By = None,
    spoken: Speaks = None,
    wait: Annotated[
        str | None, typer.Option("--wait", metavar="10m", help="Ask again until open, at most this long.")
    ] = None,
    json: Json = False,
) -> None:
    """Ask whether a move may be made: exit 0 if every gate is open, 3 if not. Nothing is changed.

    With --wait, ends at once where the gates themselves say that they cannot open in time.
    """
    found, triggers, budget = move(asked), by_database(by, release), duration(wait)
    words, asking = speaks(spoken or ()), runner(ctx)
    judgement = until_open(
        lambda: asking.gate(change, found, release=release, by_database=triggers, speaks=words), budget
    )
    if json:
        emit(judgement.document())
    else:
        show_gate(screen(), judgement.document())
    raise typer.Exit(0 if judgement.open else CLOSED)
