"""``ec abandon``."""

import typer

from expandcontract.cli.options import Change, Json
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner


def command(ctx: typer.Context, change: Change, *, json: Json = False) -> None:
    """Take a pair that was never expanded out of both chains and delete its two files."""
    removed = runner(ctx).abandon(change)
    if json:
        emit({"change": change, "removed": [str(path) for path in removed]})
        return
    for path in removed:
        screen().line(f"removed {path}")
