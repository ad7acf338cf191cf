"""``ec new drop-constraint``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name, Table
from expandcontract.cli.written import write


def command(
    ctx: typer.Context,
    table: Table,
    constraint: Annotated[str, typer.Argument(metavar="CONSTRAINT", help="Its name.")],
    *,
    name: Name = None,
    json: Json = False,
) -> None:
    """Drop a constraint: at the expand where that only allows more, at the contract where a statement may name it."""
    write(ctx, "drop-constraint", json=json, table=table, constraint=constraint, name=name)
