"""``ec new move-column``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Lossy, Name, Table
from expandcontract.cli.written import write


def command(  # noqa: PLR0913  # one parameter a flag
    ctx: typer.Context,
    table: Table,
    columns: Annotated[list[str], typer.Argument(metavar="COLUMN...", help="The columns.")],
    *,
    to: Annotated[str, typer.Option("--to", metavar="TABLE2", help="The table that they move to.")],
    key: Annotated[
        list[str],
        typer.Option("--key", metavar="COLUMN2=COLUMN", help="Which row belongs to which: user_id=id; repeatable."),
    ],
    using: Annotated[
        str | None, typer.Option("--using", metavar="SQL", help="The new value, over the old row; of one column.")
    ] = None,
    reverse: Annotated[
        str | None, typer.Option("--reverse", metavar="SQL", help="The old value, over the new row.")
    ] = None,
    lossy: Lossy = False,
    create_missing: Annotated[
        bool, typer.Option("--create-missing", help="Let the backfill insert the rows of TABLE2 that are missing.")
    ] = False,
    name: Name = None,
    json: Json = False,
) -> None:
    """Move columns to another table, kept equal until the old ones are dropped."""
    write(
        ctx,
        "move-column",
        json=json,
        table=table,
        columns=columns,
        to=to,
        key=key,
        using=using,
        reverse=reverse,
        lossy=lossy,
        create_missing=create_missing,
        name=name,
    )
