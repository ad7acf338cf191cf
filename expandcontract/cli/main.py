"""The entry point of ``ec``: global flags, then one command, then an exit code.

Rules for the next editor:

1. ``ec --help`` imports Typer and the table of commands, nothing else; a test times it and lists its imports.
2. A command parses, calls the runner once, shows the answer. What it cannot do it raises; this file reports it.
3. Exit codes: 0 done or open, 1 failed, 2 wrong usage, 3 refused, 4 busy, 5 traffic or health, 130 interrupted.
"""

from __future__ import annotations

import os
import signal
import sys
from io import TextIOWrapper
from typing import Annotated, NoReturn

import typer

from expandcontract.cli.group import LazyGroup
from expandcontract.cli.session import Session

GLOBAL_VALUES = ("--config", "-c", "--database")
GLOBAL_FLAGS = ("--debug",)

app = typer.Typer(
    name="ec",
    cls=LazyGroup,
    help="Take a PostgreSQL schema change through expand, dual writes, backfill, cut-over and contract.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:  # noqa: FBT001 - Typer calls it with the flag's value
    if asked:
        from importlib.metadata import version  # noqa: PLC0415 - only this flag needs it

        print(f"ec {version('expandcontract')}")  # noqa: T201 - the answer
        raise typer.Exit


@app.callback()
def start(
    ctx: typer.Context,
    *,
    config: Annotated[
        str | None, typer.Option("--config", "-c", metavar="PLACE", help="Project directory or settings file.")
    ] = None,
    database: Annotated[
        str | None, typer.Option("--database", metavar="URL", help="Target database, over EC_DATABASE and files.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Keep the global flags for the command that follows."""
    del version
    ctx.obj = Session(place=config, database=database, debug=debug)


def hoist(arguments: list[str]) -> list[str]:
    """The same arguments with the global flags in front, so that they may be written after the command too."""
    front: list[str] = []
    rest: list[str] = []
    at = 0
    while at < len(arguments):
        argument = arguments[at]
        if argument == "--":
            return [*front, *rest, *arguments[at:]]
        takes = 2 if argument in GLOBAL_VALUES else 1
        ours = takes > 1 or argument in GLOBAL_FLAGS or argument.startswith(("--config=", "--database="))
        (front if ours else rest).extend(arguments[at : at + takes])
        at += takes
    return [*front, *rest]


def run(arguments: list[str]) -> int:
    """Run one command line and give its exit code; every error is reported, none escapes."""
    try:
        code = app(args=hoist(arguments), prog_name="ec", standalone_mode=False)
    except BrokenPipeError:
        # what is left in the buffer must not be flushed into the closed pipe when the interpreter ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - the outermost place; everything is reported
        from expandcontract.cli.failure import report  # noqa: PLC0415 - only errors need it

        json = "--json" in arguments
        lines = "--json-lines" in arguments or (json and not {"--watch", "-w"}.isdisjoint(arguments))
        return report(exc, json=json, lines=lines, debug="--debug" in arguments)
    return code if isinstance(code, int) else 0


def _stop(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> NoReturn:
    """Run the process's own command line; SIGTERM ends it as Ctrl-C does, with everything given back."""
    signal.signal(signal.SIGTERM, _stop)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            # a terminal that cannot show a mark gets a question mark, not an error
            stream.reconfigure(errors="replace")
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = code or 1
    sys.exit(code)
