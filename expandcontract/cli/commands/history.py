"""``ec history``."""

from typing import Annotated

import typer

from expandcontract.cli.options import AnyChange, Json
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner
from expandcontract.cli.show_history import show_history, show_verified


def command(
    ctx: typer.Context,
    change: AnyChange = None,
    *,
    verify: Annotated[bool, typer.Option("--verify", help="Recompute the chain of hashes; exit 1 if broken.")] = False,
    json: Json = False,
) -> None:
    """Show what happened, oldest first; with --verify, prove that no entry was altered or removed."""
    asked = runner(ctx)
    if verify:
        checked = asked.verify_history()
        if json:
            emit(checked)
        else:
            show_verified(screen(), checked)
        return
    entries = asked.history(change)
    if json:
        emit({"history": entries})
    else:
        show_history(screen(), entries)
