"""``ec new add-column``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name, Table
from expandcontract.cli.written import write


def command(  # noqa: PLR0913  # one an option
    ctx: typer.Context,
    table: Table,
    column: Annotated[str, typer.Argument(metavar="NAME", help="The new column's name.")],
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="Its type, as in SQL.")],
    *,
    default: Annotated[str | None, typer.Option(metavar="SQL", help="Its default, for new rows and old ones.")] = None,
    not_null: Annotated[bool, typer.Option("--not-null", help="Make it NOT NULL; wants a default.")] = False,
    fill: Annotated[
        str | None, typer.Option(metavar="SQL", help="The value of the rows that are there; may read other columns.")
    ] = None,
    comment: Annotated[str | None, typer.Option(metavar="TEXT", help="Its comment.")] = None,
    name: Name = None,
    json: Json = False,
) -> None:
    """Add a column without rewriting the table.

    With a constant default, or none, it is there at once. Otherwise the rows that are there are filled in batches.
    """
    write(
        ctx,
        "add-column",
        json=json,
        table=table,
        column=column,
        type=kind,
        default=default,
        not_null=not_null,
        fill=fill,
        comment=comment,
        name=name,
    )
