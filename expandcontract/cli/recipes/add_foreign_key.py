"""``ec new add-foreign-key``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Constraint, Json, Name, Table
from expandcontract.cli.written import write
from expandcontract.errors import UsageError

WORD = "REFERENCES"


def command(  # what a foreign key has
    ctx: typer.Context,
    table: Table,
    words: Annotated[
        list[str],
        typer.Argument(metavar="COLUMN... REFERENCES TABLE [COLUMN...]", help="Default: its primary key."),
    ],
    *,
    on_delete: Annotated[
        str | None, typer.Option("--on-delete", metavar="ACTION", help="cascade, set null, set default, restrict.")
    ] = None,
    on_update: Annotated[str | None, typer.Option("--on-update", metavar="ACTION", help="The same.")] = None,
    constraint: Constraint = None,
    name: Name = None,
    json: Json = False,
) -> None:
    """Add a foreign key, once no release is left that makes orphans.

    It is added NOT VALID and then validated; before PostgreSQL 18 partition by partition.
    """
    at = next((number for number, word in enumerate(words) if word.upper() == WORD), 0)
    if not at or at + 1 == len(words):
        msg = f"{' '.join(words)!r} is no foreign key"
        raise UsageError(msg, hint="ec new add-foreign-key TABLE COLUMN… REFERENCES TABLE [COLUMN…]")
    write(
        ctx,
        "add-foreign-key",
        json=json,
        table=table,
        columns=words[:at],
        target=words[at + 1],
        target_columns=words[at + 2 :],
        on_delete=on_delete,
        on_update=on_update,
        constraint=constraint,
        name=name,
    )
