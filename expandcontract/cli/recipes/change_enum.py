"""``ec new change-enum``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name
from expandcontract.cli.written import write


def command(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="type or schema.type")],
    *,
    add: Annotated[str | None, typer.Option(metavar="VALUE", help="Add this value; it stays for good.")] = None,
    before: Annotated[str | None, typer.Option(metavar="VALUE", help="It sorts before this one.")] = None,
    after: Annotated[str | None, typer.Option(metavar="VALUE", help="It sorts after this one; default: last.")] = None,
    name: Name = None,
    json: Json = False,
) -> None:
    """Change the values of an enum type."""
    write(ctx, "change-enum", json=json, type=kind, add=add, before=before, after=after, name=name)
