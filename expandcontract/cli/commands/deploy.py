"""``ec deploy``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Speaks
from expandcontract.cli.play import play
from expandcontract.cli.session import runner
from expandcontract.cli.words import color, speaks


def command(
    ctx: typer.Context,
    slot: Annotated[str, typer.Argument(metavar="COLOR", help="blue or green")],
    version: Annotated[str, typer.Argument(metavar="VERSION", help="As the deploy command knows it.")],
    *,
    spoken: Speaks = None,
    json: Json = False,
) -> None:
    """Put a version on a color and record what it speaks; the color must not have traffic.

    An open change that --speaks does not name is spoken old.
    """
    asked = runner(ctx)
    events = asked.deploy(color(slot), version, speaks(spoken or ()))
    left = f"{slot} may hold half a deployment; run the same command again"
    play(events, json=json, status=lambda: asked.status(None), left=left)
