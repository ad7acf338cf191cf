"""``ec deploy``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Speaks
from expandcontract.cli.play import play
from expandcontract.cli.session import runner
from expandcontract.cli.words import color, speaks
from expandcontract.errors import UsageError


def command(
    ctx: typer.Context,
    slot: Annotated[str, typer.Argument(metavar="COLOR", help="blue or green")],
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]", help="As the deploy command knows it.")] = None,
    *,
    spoken: Speaks = None,
    down: Annotated[
        bool, typer.Option("--scale-down", help="End the color instead; it must not be a way back.")
    ] = False,
    json: Json = False,
) -> None:
    """Put a version on a color and record what it speaks; the color must not have traffic.

    A release can also say what it speaks itself, in expandcontract.release.toml or on its Deployment.
    """
    asked = runner(ctx)
    if down:
        if version is not None or spoken:
            msg = "--scale-down deploys nothing, so it takes neither VERSION nor --speaks"
            raise UsageError(msg, hint=f"ec deploy {slot} --scale-down")
        left = f"{slot} may be scaled down by half; run the same command again"
        play(asked.scale_down(color(slot)), json=json, status=lambda: asked.status(None), left=left)
        return
    if version is None:
        msg = "which version is to be deployed was not said"
        raise UsageError(msg, hint=f"ec deploy {slot} VERSION")
    events = asked.deploy(color(slot), version, speaks(spoken or ()))
    left = f"{slot} may hold half a deployment; run the same command again"
    play(events, json=json, status=lambda: asked.status(None), left=left)
