"""``ec status``."""

from typing import Annotated

import typer

from expandcontract.cli.options import AnyChange, Json
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner
from expandcontract.cli.show_status import show_status
from expandcontract.cli.watch import watch
from expandcontract.errors import UsageError


def command(
    ctx: typer.Context,
    change: AnyChange = None,
    *,
    watched: Annotated[bool, typer.Option("--watch", "-w", help="Show it anew until Ctrl-C.")] = False,
    json: Json = False,
) -> None:
    """Show where every change, release and the traffic stand, and the next command of each change."""
    if watched and json:
        msg = "--json is one document, --watch has no end"
        raise UsageError(msg, hint="ec status --json")
    asked = runner(ctx)
    if watched:
        watch(lambda: asked.status(change), show_status)
    elif json:
        emit(asked.status(change))
    else:
        show_status(screen(), asked.status(change))
