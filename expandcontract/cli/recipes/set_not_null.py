"""``ec new set-not-null``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name, Table
from expandcontract.cli.written import write


def command(
    ctx: typer.Context,
    table: Table,
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="The column.")],
    *,
    fill: Annotated[
        str | None, typer.Option("--fill", metavar="SQL", help="The value of rows that have none, over the same row.")
    ] = None,
    name: Name = None,
    json: Json = False,
) -> None:
    """Forbid NULL in a column, once no release is left that writes it.

    Rows without a value are filled in the backfill, and once more just before the contract.
    """
    write(ctx, "set-not-null", json=json, table=table, column=column, fill=fill, name=name)
