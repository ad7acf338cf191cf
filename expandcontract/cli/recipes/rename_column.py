"""``ec new rename-column``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name, Table
from expandcontract.cli.written import write


def command(
    ctx: typer.Context,
    table: Table,
    old: Annotated[str, typer.Argument(metavar="OLD", help="The column's name now.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name it shall have.")],
    *,
    name: Name = None,
    json: Json = False,
) -> None:
    """Rename a column: type, default, comment, grants, indexes and constraints come along.

    A second column is kept equal to the first until the first is dropped.
    """
    write(ctx, "rename-column", json=json, table=table, old=old, new=new, name=name)
