"""``ec new drop-table``."""

import typer

from expandcontract.cli.options import Json, Name, Table
from expandcontract.cli.written import write


def command(ctx: typer.Context, table: Table, *, name: Name = None, json: Json = False) -> None:
    """Drop a table, once no release is left that uses it.

    Its foreign keys go first, each by itself, so that no two other tables are locked together.
    """
    write(ctx, "drop-table", json=json, table=table, name=name)
