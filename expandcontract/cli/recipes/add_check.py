"""``ec new add-check``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name, Table
from expandcontract.cli.written import write


def command(
    ctx: typer.Context,
    table: Table,
    constraint: Annotated[str, typer.Argument(metavar="CONSTRAINT", help="The name that the check shall have.")],
    sql: Annotated[str, typer.Argument(metavar="SQL", help="What must not be false of any row.")],
    *,
    fill: Annotated[
        str | None,
        typer.Option("--fill", metavar="COLUMN=SQL", help="What a column is set to in rows that break the rule."),
    ] = None,
    name: Name = None,
    json: Json = False,
) -> None:
    """Add a CHECK, once no release is left that breaks it.

    It is added NOT VALID and then validated, so that nobody waits for the scan.
    """
    write(ctx, "add-check", json=json, table=table, constraint=constraint, sql=sql, fill=fill, name=name)
