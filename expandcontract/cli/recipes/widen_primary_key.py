"""``ec new widen-primary-key``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name, Table
from expandcontract.cli.written import write


def command(
    ctx: typer.Context,
    table: Table,
    *,
    type_: Annotated[str, typer.Option("--type", metavar="TYPE", help="integer or bigint.")] = "bigint",
    name: Name = None,
    json: Json = False,
) -> None:
    """Widen a primary key, with every foreign key that refers to it and the sequence; all names are kept.

    The columns trade names with wider ones in one short transaction, so that no release need notice.
    """
    write(ctx, "widen-primary-key", json=json, table=table, type_=type_, name=name)
