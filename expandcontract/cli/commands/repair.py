"""``ec repair``."""

import typer

from expandcontract.cli.options import Change, Json, TerminateIdle
from expandcontract.cli.play import play
from expandcontract.cli.session import runner


def command(ctx: typer.Context, change: Change, *, terminate_idle: TerminateIdle = False, json: Json = False) -> None:
    """Put back a hold or trigger that is missing or altered, then count parity anew."""
    asked = runner(ctx)
    left = f"ec repair {change} may be run again at any time"
    events = asked.repair(change, terminate_idle=terminate_idle)
    play(events, json=json, status=lambda: asked.status(change), left=left)
