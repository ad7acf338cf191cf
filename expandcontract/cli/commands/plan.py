"""``ec plan``."""

import typer

from expandcontract.cli.options import Change, Json
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner
from expandcontract.cli.show_plan import show_plan


def command(ctx: typer.Context, change: Change, *, json: Json = False) -> None:
    """Show the moves that lie ahead of a change and what each would do; nothing is done."""
    document = runner(ctx).plan(change)
    if json:
        emit(document)
    else:
        show_plan(screen(), document)
