"""``ec lint``."""

from typing import Annotated

import typer

from expandcontract.cli.options import Json
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner
from expandcontract.cli.show_lint import FORMATS, show_lint
from expandcontract.errors import UsageError

FOUND = 3


def command(
    ctx: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[REV]...", help="Revisions, changes or files; default: all.")
    ] = None,
    *,
    since: Annotated[
        str | None, typer.Option("--since", metavar="REV", help="Leave out this revision and what it stands on.")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 3 for warnings too.")] = False,
    format_: Annotated[
        str, typer.Option("--format", metavar="text|json|sarif|github", help="How the findings are written.")
    ] = "text",
    json: Json = False,
) -> None:
    """Judge revisions before they run: exit 3 if one may break or stop what is live. No database is asked."""
    if format_ not in FORMATS:
        msg = f"no format is called {format_!r}; there are {', '.join(FORMATS)}"
        raise UsageError(msg, hint="ec lint --help")
    report = runner(ctx).lint(tuple(names or ()), since=since)
    if json or format_ == "json":
        emit(report.document())
    else:
        show_lint(screen(), report, format_)
    raise typer.Exit(0 if report.clean and not (strict and report.warned) else FOUND)
