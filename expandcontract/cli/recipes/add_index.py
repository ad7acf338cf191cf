"""``ec new add-index``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name, Table
from expandcontract.cli.written import write


def command(  # noqa: PLR0913  # one an option
    ctx: typer.Context,
    table: Table,
    columns: Annotated[list[str] | None, typer.Argument(metavar="[COLUMN...]", help="Its key, in order.")] = None,
    *,
    expression: Annotated[
        list[str] | None, typer.Option(metavar="SQL", help="A part of its key after the columns; repeatable.")
    ] = None,
    unique: Annotated[bool, typer.Option("--unique", help="Refused: see add-unique.")] = False,
    method: Annotated[str, typer.Option(metavar="METHOD", help="Its access method.")] = "btree",
    where: Annotated[str | None, typer.Option(metavar="SQL", help="Only the rows for which this is true.")] = None,
    include: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A column that it only carries along; repeatable.")
    ] = None,
    index: Annotated[str | None, typer.Option(metavar="INDEX", help="Its name; default: ix_TABLE_COLUMNS.")] = None,
    name: Name = None,
    json: Json = False,
) -> None:
    """Add an index, built while reads and writes pass, also on a partitioned table."""
    write(
        ctx,
        "add-index",
        json=json,
        table=table,
        columns=tuple(columns or ()),
        expression=tuple(expression or ()),
        unique=unique,
        method=method,
        where=where,
        include=tuple(include or ()),
        index=index,
        name=name,
    )
