"""``ec rollback``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Changes, Json, Steps, TerminateIdle
from expandcontract.cli.play import play, resumable
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner
from expandcontract.cli.show_foretold import show_foretold
from expandcontract.cli.words import steps

CLOSED = 3


def command(
    ctx: typer.Context,
    changes: Changes,
    *,
    percents: Steps = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and whether it may; exit 0 or 3, nothing changes.")
    ] = False,
    terminate_idle: TerminateIdle = False,
    json: Json = False,
) -> None:
    """Take a change one phase back: traffic first, then state, then schema.

    A move in flight is taken back to where it began. Changes that the same shift of traffic would take back must be
    named too; the refusal lists them. The traffic goes back at once, or by stages with --steps.
    """
    asked, stages = runner(ctx), steps(percents)
    if dry_run:
        found = asked.foretell(changes, stages)
        emit(found) if json else show_foretold(screen(), found)
        if not found["open"]:
            raise typer.Exit(CLOSED)
        return
    only = changes[0] if len(changes) == 1 else None
    events = asked.rollback(changes, steps=stages, terminate_idle=terminate_idle)
    play(events, json=json, status=lambda: asked.status(only), left=resumable(changes))
