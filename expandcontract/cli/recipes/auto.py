"""``ec new auto``."""

import sys
from typing import Annotated, Any

import typer

from expandcontract.cli.options import Json
from expandcontract.cli.session import runner
from expandcontract.cli.written import show
from expandcontract.errors import UndecidedError, UsageError

Renames = Annotated[
    list[str] | None,
    typer.Option("--rename", metavar="TABLE.OLD=NEW", help="What is gone got this name; also OLD_TABLE=NEW_TABLE."),
]
Separate = Annotated[
    list[str] | None,
    typer.Option("--separate", metavar="TABLE.COLUMN", help="What is gone is dropped, whatever came beside it."),
]
Given = Annotated[
    list[str] | None,
    typer.Option("--with", metavar="TABLE.COLUMN:OPTION=VALUE", help="An option of the recipe: users.age:fill=0."),
]


def command(
    ctx: typer.Context,
    *,
    message: Annotated[
        str,
        typer.Option("--message", "-m", metavar="MESSAGE", help="What the change is for; names it where it is one."),
    ],
    renames: Renames = None,
    separate: Separate = None,
    given: Given = None,
    json: Json = False,
) -> None:
    """Write a pair for each difference between your models and the database.

    A column that is gone and one that came may be a rename: that is asked, and without a terminal refused with the
    flags that answer it. What has no recipe is refused by name.
    """
    answers: dict[str, Any] = {
        "renames": dict(_split(text, "=") for text in renames or ()),
        "separate": list(separate or ()),
        "more": _options(given or []),
    }
    while True:
        try:
            written = runner(ctx).new_auto(message, **answers)
        except UndecidedError as exc:
            if json or not sys.stdin.isatty():
                raise
            _ask(exc, answers)
        else:
            show(written, json=json)
            return


def _split(text: str, sign: str) -> tuple[str, str]:
    left, found, right = text.partition(sign)
    if not (left and found and right):
        msg = f"{text!r} is not of the form A{sign}B"
        raise UsageError(msg, hint="ec new auto --help")
    return left, right


def _options(given: list[str]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for text in given:
        place, option = _split(text, ":")
        name, value = _split(option, "=")
        key = name.removeprefix("--").replace("-", "_")
        found.setdefault(place, {})[key] = {"true": True, "false": False}.get(value, value)
    return found


def _ask(exc: UndecidedError, answers: dict[str, Any]) -> None:
    for question in exc.questions:
        about, names = str(question["about"]), [str(name) for name in question["renames"]]  # type: ignore[attr-defined]
        typer.echo(exc.message, err=True)
        said = typer.prompt(f"the new name ({', '.join(names)}), or `drop`", err=True)
        if said == "drop":
            answers["separate"].append(about)
        elif said in names:
            answers["renames"][about] = said
