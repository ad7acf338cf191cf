"""``ec new change-default``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name, Table
from expandcontract.cli.written import write


def command(  # one an option
    ctx: typer.Context,
    table: Table,
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="The column.")],
    default: Annotated[str | None, typer.Argument(metavar="[SQL]", help="Its new default.")] = None,
    *,
    drop: Annotated[bool, typer.Option("--drop", help="It shall have none, from the contract on.")] = False,
    at_contract: Annotated[
        bool, typer.Option("--at-contract", help="Change it once every release writes the column itself.")
    ] = False,
    name: Name = None,
    json: Json = False,
) -> None:
    """Change a column's default, or drop it.

    A new default is set at the expand and holds for every release. Dropping waits for the contract.
    """
    write(
        ctx,
        "change-default",
        json=json,
        table=table,
        column=column,
        default=default,
        drop=drop,
        at_contract=at_contract,
        name=name,
    )
