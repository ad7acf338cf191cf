"""``ec new sql``."""

from pathlib import Path
from typing import Annotated

import typer

from expandcontract.cli.options import Json
from expandcontract.cli.written import write
from expandcontract.errors import UsageError

GIVEN = "SQL|@FILE"


def command(  # noqa: PLR0913  # one an option
    ctx: typer.Context,
    *,
    name: Annotated[str, typer.Option("--name", help="Of the change.")],
    expand: Annotated[str | None, typer.Option(metavar=GIVEN, help="What no running release may notice.")] = None,
    seal: Annotated[str | None, typer.Option(metavar=GIVEN, help="Indexes, built online after the expand.")] = None,
    contract: Annotated[str | None, typer.Option(metavar=GIVEN, help="What goes once no release needs it.")] = None,
    downgrade: Annotated[str | None, typer.Option(metavar=GIVEN, help="Takes the expand back.")] = None,
    undo_contract: Annotated[
        str | None, typer.Option(metavar=GIVEN, help="Takes the contract back, on development databases.")
    ] = None,
    touches: Annotated[
        list[str] | None, typer.Option(metavar="TABLE", help="A table that is altered; repeatable.")
    ] = None,
    json: Json = False,
) -> None:
    """Write your own statements into named phases."""
    write(
        ctx,
        "sql",
        json=json,
        name=name,
        expand=_read(expand),
        seal=_read(seal),
        contract=_read(contract),
        downgrade=_read(downgrade),
        undo_contract=_read(undo_contract),
        touches=tuple(touches or ()),
    )


def _read(given: str | None) -> str | None:
    """The text itself, or that of the file behind ``@``."""
    if given is None or not given.startswith("@"):
        return given
    try:
        return Path(given[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        msg = f"{given[1:]} cannot be read: {exc}"
        raise UsageError(msg, hint="name a file of SQL after @") from exc
