"""``ec switch``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Steps
from expandcontract.cli.play import play
from expandcontract.cli.session import runner
from expandcontract.cli.words import color, steps


def command(
    ctx: typer.Context,
    slot: Annotated[str, typer.Argument(metavar="COLOR", help="blue or green")],
    *,
    percents: Steps = None,
    json: Json = False,
) -> None:
    """Shift the traffic to a color in steps, each watched; refused where a change's phase would become untrue."""
    asked = runner(ctx)
    events = asked.switch(color(slot), steps(percents))
    left = f"the traffic stands between the colors; ec switch {slot} goes on, ec status shows it"
    play(events, json=json, status=lambda: asked.status(None), left=left)
