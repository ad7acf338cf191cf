"""``ec verify``."""

import typer

from expandcontract.cli.options import Change, Json
from expandcontract.cli.play import play
from expandcontract.cli.session import runner


def command(ctx: typer.Context, change: Change, *, json: Json = False) -> None:
    """Count the rows on which old and new shape differ; exit 1 if any is left.

    Before cut-over it repairs the new shape from the old one and counts again; after it, it only counts.
    """
    asked = runner(ctx)
    left = f"nothing is lost; ec verify {change} counts from the start"
    last = play(asked.verify(change), json=json, status=lambda: asked.status(change), left=left)
    if last.get("differing"):
        raise typer.Exit(1)
