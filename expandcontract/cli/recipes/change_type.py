"""``ec new change-type``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Lossy, Name, Table
from expandcontract.cli.written import write


def command(  # noqa: PLR0913  # one parameter a flag
    ctx: typer.Context,
    table: Table,
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="The column.")],
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="Its new type, as in CREATE TABLE.")],
    *,
    using: Annotated[
        str | None, typer.Option("--using", metavar="SQL", help="The new value, over the old column.")
    ] = None,
    reverse: Annotated[
        str | None, typer.Option("--reverse", metavar="SQL", help="The old value, over the new column.")
    ] = None,
    lossy: Lossy = False,
    to: Annotated[str | None, typer.Option("--to", metavar="NEWNAME", help="The new column's name.")] = None,
    keep_name: Annotated[
        bool,
        typer.Option("--keep-name", help="The new column gets the old one's name at cut-over; no release notices."),
    ] = False,
    name: Name = None,
    json: Json = False,
) -> None:
    """Change a column's type: in place where PostgreSQL only notes it, otherwise by a second column.

    The second column is kept equal to the first until the first is dropped.
    """
    write(
        ctx,
        "change-type",
        json=json,
        table=table,
        column=column,
        type=type_,
        using=using,
        reverse=reverse,
        lossy=lossy,
        to=to,
        keep_name=keep_name,
        name=name,
    )
