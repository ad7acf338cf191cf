"""``ec new drop-column``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name, Table
from expandcontract.cli.written import write


def command(
    ctx: typer.Context,
    table: Table,
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="The column.")],
    *,
    default: Annotated[
        str | None,
        typer.Option("--default", metavar="SQL", help="Of rows written without it, for the old release to read."),
    ] = None,
    name: Name = None,
    json: Json = False,
) -> None:
    """Drop a column, once no release is left that reads it.

    Until then nobody can drop it by hand, and releases that write it and that do not run side by side.
    """
    write(ctx, "drop-column", json=json, table=table, column=column, default=default, name=name)
