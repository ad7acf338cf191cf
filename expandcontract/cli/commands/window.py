"""``ec window``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Change, Json
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner
from expandcontract.cli.show_status import show_window
from expandcontract.cli.words import duration


def command(
    ctx: typer.Context,
    change: Change,
    *,
    extend: Annotated[
        str | None, typer.Option("--extend", metavar="24h", help="Keep the way back this much longer.")
    ] = None,
    json: Json = False,
) -> None:
    """Show the rollback window of a change, or lengthen it with --extend; there is no way to cut it short."""
    more = duration(extend)
    document = runner(ctx).status(change) if more is None else runner(ctx).window(change, more)
    if json:
        emit(document)
    else:
        show_window(screen(), change, document)
