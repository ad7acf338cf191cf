"""``ec switch``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Steps
from expandcontract.cli.play import play
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner
from expandcontract.cli.show_switch import show_checks, show_shift
from expandcontract.cli.words import color, shifting, steps

FAILED = 5


def command(
    ctx: typer.Context,
    slot: Annotated[
        str | None,
        typer.Argument(
            metavar="[COLOR|pause|resume|abort]", help="blue or green; or what the shift under way is told."
        ),
    ] = None,
    *,
    percents: Steps = None,
    why: Annotated[
        str | None, typer.Option("--why", metavar="TEXT", help="With pause or abort: shown to whoever asks.")
    ] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Accept the weights that the balancer reads as the truth.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Try reachability, rights and state of the balancer; nothing changes.")
    ] = False,
    json: Json = False,
) -> None:
    """Shift the traffic to a color in steps, each watched; refused where a change's phase would become untrue.

    With pause, resume or abort it tells that to the shift under way, be it of this command, of ec advance or of ec
    rollback, in whatever process, and returns at once.
    """
    wanted = shifting(slot, percents, why, adopt=adopt, check=check)
    asked = runner(ctx)
    if wanted == "adopt":
        play(asked.adopt(), json=json, status=lambda: asked.status(None))
    elif wanted == "check":
        found = asked.check_switch()
        emit(found) if json else show_checks(screen(), found)
        raise typer.Exit(0 if found["ok"] else FAILED)
    elif wanted == "shift":
        events = asked.switch(color(slot or ""), steps(percents))
        left = f"the traffic stands between the colors; ec switch {slot} goes on, ec status shows it"
        play(events, json=json, status=lambda: asked.status(None), left=left)
    else:
        found = asked.tell(wanted, why)
        if json:
            emit(found)
            return
        out = screen()
        out.line(str(found["said"]))
        show_shift(out, found["status"]["traffic"]["shift"])  # type: ignore[index]
