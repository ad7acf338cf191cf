"""``ec new add-unique``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Constraint, Json, Name, Table
from expandcontract.cli.written import write


def command(  # what a unique constraint has
    ctx: typer.Context,
    table: Table,
    columns: Annotated[list[str], typer.Argument(metavar="COLUMN...", help="What shall be unique together.")],
    *,
    include: Annotated[
        list[str] | None, typer.Option("--include", metavar="COLUMN", help="What the index carries along; repeatable.")
    ] = None,
    nulls_not_distinct: Annotated[
        bool, typer.Option("--nulls-not-distinct", help="Two NULLs count as equal; PostgreSQL 15.")
    ] = False,
    constraint: Constraint = None,
    name: Name = None,
    json: Json = False,
) -> None:
    """Add a UNIQUE constraint, once no release is left that writes doubles.

    Its index is built concurrently; on a partitioned table partition by partition.
    """
    write(
        ctx,
        "add-unique",
        json=json,
        table=table,
        columns=columns,
        include=include or (),
        nulls_not_distinct=nulls_not_distinct,
        constraint=constraint,
        name=name,
    )
