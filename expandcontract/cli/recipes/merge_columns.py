"""``ec new merge-columns``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Lossy, Name, Table
from expandcontract.cli.written import write


def command(  # noqa: PLR0913  # one parameter a flag
    ctx: typer.Context,
    table: Table,
    columns: Annotated[list[str], typer.Argument(metavar="COLUMN...", help="The columns.")],
    *,
    into: Annotated[str, typer.Option("--into", metavar="NAME", help="The new column: NAME, or NAME TYPE NOT NULL.")],
    using: Annotated[str, typer.Option("--using", metavar="SQL", help="Its value, over the old columns.")],
    reverse: Annotated[
        list[str],
        typer.Option("--reverse", metavar="COLUMN=SQL", help="An old column's value, over the new one; repeatable."),
    ],
    lossy: Lossy = False,
    name: Name = None,
    json: Json = False,
) -> None:
    """Merge several columns into one, kept equal until they are dropped."""
    write(
        ctx,
        "merge-columns",
        json=json,
        table=table,
        columns=columns,
        into=into,
        using=using,
        reverse=reverse,
        lossy=lossy,
        name=name,
    )
