"""``ec new split-column``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Lossy, Name, Table
from expandcontract.cli.written import write


def command(
    ctx: typer.Context,
    table: Table,
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="The column.")],
    *,
    into: Annotated[
        list[str],
        typer.Option(
            "--into", metavar="NAME=SQL", help="A new column and its value; repeatable. NAME TYPE NOT NULL=SQL."
        ),
    ],
    reverse: Annotated[str, typer.Option("--reverse", metavar="SQL", help="The old value, over the new columns.")],
    lossy: Lossy = False,
    name: Name = None,
    json: Json = False,
) -> None:
    """Split a column into several, kept equal until the one is dropped."""
    write(
        ctx, "split-column", json=json, table=table, column=column, into=into, reverse=reverse, lossy=lossy, name=name
    )
