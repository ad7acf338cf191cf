"""``ec run``."""

from collections.abc import Iterator
from typing import Annotated

import typer

from expandcontract.cli.options import (
    By,
    Every,
    Fence,
    Json,
    JsonLines,
    Release,
    SomeChanges,
    Speaks,
    Steps,
    TerminateIdle,
)
from expandcontract.cli.play import play
from expandcontract.cli.session import runner
from expandcontract.cli.words import by_triggers, duration, speaks, steps, which
from expandcontract.errors import UsageError
from expandcontract.runner.call import Call
from expandcontract.runner.events import Event

TOLD = {"finished", "note"}


def command(  # noqa: PLR0913  # one argument a flag
    ctx: typer.Context,
    changes: SomeChanges = None,
    *,
    every: Every = False,
    release: Release = None,
    deployed: Annotated[
        bool, typer.Option("--deployed", help="Take the release on the idle color, for what --speaks recorded of it.")
    ] = False,
    by: By = None,
    spoken: Speaks = None,
    percents: Steps = None,
    wait: Annotated[
        str | None, typer.Option("--wait", metavar="48h", help="Wait at most this long for what only time opens.")
    ] = None,
    fence: Fence = False,
    terminate_idle: TerminateIdle = False,
    json: Json = False,
    json_lines: JsonLines = False,
) -> None:
    """Take one or several changes, or all, on as far as their gates allow; one line a move. Made for a timer to call.

    It never guesses a release: without --release, --deployed or --by database it stops before a shift. With --wait it
    waits where time is the only reason, and holds nothing meanwhile. What was rolled back it does not take on again.
    """
    if deployed and release is not None:
        raise UsageError("--deployed and --release exclude each other", hint="give one of the two")
    names = which(changes, every=every)
    call = Call(
        release=release,
        by_database=by_triggers(by),
        speaks=speaks(spoken or ()),
        steps=steps(percents),
        fence=fence,
    )
    asked = runner(ctx)
    events = asked.run(names, call, deployed=deployed, wait=duration(wait), terminate_idle=terminate_idle)
    said = " ".join(names) or "--all"
    only = names[0] if len(names) == 1 else None
    left = f"stopped; ec run {said} goes on from here, and resumes a move that was left in flight"
    play(_told(events), json=json, lines=json_lines, status=lambda: asked.status(only), left=left)


def _told(events: Iterator[Event]) -> Iterator[Event]:
    """What a log should have: a line a move, what is waited for, and what else a person should know."""
    for event in events:
        if event.kind in TOLD or "until" in event.data:
            yield event
