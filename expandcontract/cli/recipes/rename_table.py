"""``ec new rename-table``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name, Table
from expandcontract.cli.written import write


def command(
    ctx: typer.Context,
    old: Table,
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name it shall have, in the same schema.")],
    *,
    name: Name = None,
    json: Json = False,
) -> None:
    """Rename a table: a view that can be written through keeps the old name until the contract.

    Indexes, constraints and sequences keep their names.
    """
    write(ctx, "rename-table", json=json, old=old, new=new, name=name)
