"""``ec rehearse``."""

from pathlib import Path
from typing import Annotated

import typer

from expandcontract.cli.options import Change, Json
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner
from expandcontract.cli.show_rehearsal import show_rehearsal, watched
from expandcontract.errors import UsageError


def command(
    ctx: typer.Context,
    change: Change,
    *,
    rows: Annotated[int, typer.Option("--rows", min=0, help="Rows that each table is given.")] = 10_000,
    fill: Annotated[
        Path | None,
        typer.Option("--fill", metavar="FILE.sql", help="Make the rows with this script.", exists=True, dir_okay=False),
    ] = None,
    dsn: Annotated[
        str | None, typer.Option("--dsn", metavar="URL", help="Rehearse on this scratch database; it must be empty.")
    ] = None,
    empty_it: Annotated[
        bool, typer.Option("--empty-it", help="Drop all that is in the scratch database first.")
    ] = False,
    json: Json = False,
) -> None:
    """Take a change all the way on a throw-away database, forward, back and forward, and compare it with its plan.

    The target is only read. Exit 1 if a move fails or a statement does other than the plan foretells.
    """
    from expandcontract.runner.rehearsal import Wanted  # noqa: PLC0415 - SQLAlchemy is not for --help

    if empty_it and dsn is None:
        msg = "--empty-it goes with --dsn; a server of our own is empty anyway"
        raise UsageError(msg, hint="ec rehearse --help")
    wanted = Wanted(rows=rows, fill=fill, dsn=dsn, empty_it=empty_it)
    document = watched(runner(ctx).rehearse(change, wanted), json=json)
    if json:
        emit(document)
    else:
        show_rehearsal(screen(), document)
