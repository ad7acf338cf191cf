"""``ec advance``."""

from typing import Annotated

import typer

from expandcontract.cli.options import By, Changes, Json, JsonLines, Release, Speaks, Steps, TerminateIdle
from expandcontract.cli.play import play, resumable
from expandcontract.cli.session import runner
from expandcontract.cli.words import by_database, phase, speaks, steps


def command(  # noqa: PLR0913  # one argument a flag
    ctx: typer.Context,
    changes: Changes,
    *,
    to: Annotated[
        str | None, typer.Option("--to", metavar="PHASE", help="Go on until this phase; default: one move.")
    ] = None,
    release: Release = None,
    by: By = None,
    spoken: Speaks = None,
    percents: Steps = None,
    terminate_idle: TerminateIdle = False,
    json: Json = False,
    json_lines: JsonLines = False,
) -> None:
    """Make the next move of a change, or resume the one in flight.

    dual-write and cut-over want --release VERSION (deployed on the idle color, then given the traffic); dual-write
    takes --by database instead, where the triggers alone shall write both shapes. Neither is guessed.
    """
    events = (asked := runner(ctx)).advance(
        changes,
        to=phase(to),
        release=release,
        by_database=by_database(by, release),
        speaks=speaks(spoken or ()),
        steps=steps(percents),
        terminate_idle=terminate_idle,
    )
    play(events, json=json, lines=json_lines, status=lambda: asked.status(_only(changes)), left=resumable(changes))


def _only(changes: list[str]) -> str | None:
    return changes[0] if len(changes) == 1 else None
