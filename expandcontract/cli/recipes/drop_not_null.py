"""``ec new drop-not-null``."""

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
        str | None, typer.Option(metavar="SQL", help="What a roll-back puts where NULL was written meanwhile.")
    ] = None,
    name: Name = None,
    json: Json = False,
) -> None:
    """Let a column be NULL, from the expand on.

    A roll-back puts NOT NULL back without a long lock; it is refused while rows have NULL, unless --fill is given.
    """
    write(ctx, "drop-not-null", json=json, table=table, column=column, fill=fill, name=name)
