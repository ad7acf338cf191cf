"""``ec init``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json
from expandcontract.cli.play import play
from expandcontract.cli.session import runner


def command(
    ctx: typer.Context,
    *,
    development: Annotated[
        bool, typer.Option("--development", help="Nothing old ever runs here: pairs run straight through.")
    ] = False,
    json: Json = False,
) -> None:
    """Attach to a project's Alembic environment (or scaffold one) and create or upgrade the ledger.

    May be run again at any time. Adds no branch to the revisions; the first pair does.
    """
    play(runner(ctx).init(development=development), json=json)
