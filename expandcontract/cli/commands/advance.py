"""``ec advance``."""

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
from expandcontract.cli.play import play, resumable
from expandcontract.cli.session import runner
from expandcontract.cli.words import by_database, phase, speaks, steps, which
from expandcontract.errors import UsageError


def command(  # noqa: PLR0913  # one argument a flag
    ctx: typer.Context,
    changes: SomeChanges = None,
    *,
    every: Every = False,
    to: Annotated[
        str | None, typer.Option("--to", metavar="PHASE", help="Go on until this phase; default: one move.")
    ] = None,
    release: Release = None,
    by: By = None,
    spoken: Speaks = None,
    percents: Steps = None,
    fence: Fence = False,
    terminate_idle: TerminateIdle = False,
    json: Json = False,
    json_lines: JsonLines = False,
) -> None:
    """Make the next move of one or several changes, or resume the one in flight.

    dual-write and cut-over want --release VERSION (deployed on the idle color, then given the traffic); dual-write
    takes --by database instead, where the triggers alone shall write both shapes. Neither is guessed. With --all each
    change moves whose gates are open: with --release all that wait for a release, in one shift; without, the others.
    """
    names = which(changes, every=every)
    if every and to is not None:
        raise UsageError("--all makes one move of each change, and takes no --to", hint="ec run --all goes on and on")
    events = (asked := runner(ctx)).advance(
        names,
        to=phase(to),
        release=release,
        by_database=by_database(by, release),
        speaks=speaks(spoken or ()),
        steps=steps(percents),
        terminate_idle=terminate_idle,
        fence=fence,
    )
    left = resumable(names or ["--all"])
    play(events, json=json, lines=json_lines, status=lambda: asked.status(_only(names)), left=left)


def _only(changes: list[str]) -> str | None:
    return changes[0] if len(changes) == 1 else None
