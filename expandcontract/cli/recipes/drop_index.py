"""``ec new drop-index``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name
from expandcontract.cli.written import write


def command(
    ctx: typer.Context,
    index: Annotated[str, typer.Argument(metavar="INDEX", help="index or schema.index")],
    *,
    name: Name = None,
    json: Json = False,
) -> None:
    """Drop an index at the contract, once no release is left that may need it."""
    write(ctx, "drop-index", json=json, index=index, name=name)
