"""``ec backfill``."""

import typer

from expandcontract.cli.options import Change, Json
from expandcontract.cli.play import play, resumable
from expandcontract.cli.session import runner


def command(ctx: typer.Context, change: Change, *, json: Json = False) -> None:
    """Fill the new shape in batches, prove it equal to the old one, then seal it.

    The same move that ec advance makes from dual_writing; run again, it goes on where it stopped.
    """
    asked = runner(ctx)
    play(asked.backfill(change), json=json, status=lambda: asked.status(change), left=resumable([change]))
