"""``ec verify``."""

import typer

from expandcontract.cli.options import Change, Json
from expandcontract.cli.play import play
from expandcontract.cli.session import runner


def command(ctx: typer.Context, change: Change, *, json: Json = False) -> None:
    """Count the rows on which old and new shape differ, repair them, and count again until none is left."""
    asked = runner(ctx)
    left = f"nothing is lost; ec verify {change} counts from the start"
    play(asked.verify(change), json=json, status=lambda: asked.status(change), left=left)
