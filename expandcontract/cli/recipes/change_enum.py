"""``ec new change-enum``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json, Name
from expandcontract.cli.written import write


def command(  # noqa: PLR0913  # one parameter a flag
    ctx: typer.Context,
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="type or schema.type")],
    *,
    add: Annotated[
        str | None, typer.Option("--add", metavar="VALUE", help="A value that comes; it stays for good.")
    ] = None,
    before: Annotated[
        str | None, typer.Option("--before", metavar="VALUE", help="An added value sorts before this one.")
    ] = None,
    after: Annotated[
        str | None, typer.Option("--after", metavar="VALUE", help="It sorts after this one; default: last.")
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option("--rename", metavar="OLD=NEW", help="A value's new name; repeatable.")
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="VALUE", help="A value that goes; repeatable.")
    ] = None,
    instead: Annotated[
        str | None, typer.Option("--instead", metavar="VALUE", help="What rows get that have a removed value.")
    ] = None,
    type_name: Annotated[str | None, typer.Option("--type-name", metavar="NAME", help="The new type's name.")] = None,
    to: Annotated[
        list[str] | None,
        typer.Option("--to", metavar="COLUMN=NEW", help="A new column's name, or TABLE.COLUMN=NEW; repeatable."),
    ] = None,
    name: Name = None,
    json: Json = False,
) -> None:
    """Add, rename or remove values of an enum type.

    A value is added at once. To rename or remove one takes a new type, and a second column for each of the old one.
    """
    write(
        ctx,
        "change-enum",
        json=json,
        type=type_,
        add=add,
        before=before,
        after=after,
        rename=rename or [],
        remove=remove or [],
        instead=instead,
        type_name=type_name,
        to=to or [],
        name=name,
    )
