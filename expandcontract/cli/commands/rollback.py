"""``ec rollback``."""

import typer

from expandcontract.cli.options import Changes, Json, TerminateIdle
from expandcontract.cli.play import play, resumable
from expandcontract.cli.session import runner


def command(ctx: typer.Context, changes: Changes, *, terminate_idle: TerminateIdle = False, json: Json = False) -> None:
    """Take a change one phase back: traffic first, then state, then schema.

    A move in flight is taken back to where it began. Changes that the same shift of traffic would take back must be
    named too; the refusal lists them.
    """
    asked = runner(ctx)
    only = changes[0] if len(changes) == 1 else None
    events = asked.rollback(changes, terminate_idle=terminate_idle)
    play(events, json=json, status=lambda: asked.status(only), left=resumable(changes))
