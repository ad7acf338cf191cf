"""``ec demo``."""

from importlib import import_module
from typing import Annotated

import typer

from expandcontract.cli.options import Json


def command(
    *,
    rows: Annotated[int, typer.Option("--rows", min=1, help="Rows that the table begins with.")] = 200_000,
    keep: Annotated[
        str | None, typer.Option("--keep", metavar="DIR", help="Work in this directory and leave it behind.")
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="Of the proxy; default: a free one.")
    ] = None,
    json: Json = False,
) -> None:
    """Take one change through all phases behind a real proxy, under load, on servers of its own.

    Needs the extra expandcontract[demo]. Exit 0 only if no request failed and no write was lost.
    """
    # the demo stands above the command line and drives it, so it is looked up by name, not imported from below
    demo = import_module("expandcontract.demo.main")
    given = {"keep": keep, "port": port}
    code = demo.run(rows=rows, json=json, **{name: value for name, value in given.items() if value is not None})
    raise typer.Exit(int(code or 0))
