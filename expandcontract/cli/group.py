"""A Typer group that imports a command's module only when that command runs."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from expandcontract.cli.table import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Callable


def single(function: Callable[..., Any], name: str) -> Any:
    """The command made of one function; its docstring is the help."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(function)
    return typer.main.get_command(app)


def nearest(name: str, known: tuple[str, ...]) -> str:
    """`` Did you mean …?`` where a known name is near, else all of them."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"


class LazyGroup(TyperGroup):
    """Lists the commands from the table; loads one when it is called."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the table's order."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, its module imported now; ``None`` where there is none of that name."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"expandcontract.cli.commands.{cmd_name}")
        return getattr(module, "group", None) or single(module.command, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As Typer's, but an unknown command names the nearest one."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            ctx.fail(f"no command is called {name!r}; {nearest(name, tuple(COMMANDS))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the table; Typer's own way would import every command."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


class RecipeGroup(TyperGroup):
    """A group whose unknown sub-commands name the nearest one."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As Typer's, in one line."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            ctx.fail(f"no recipe is called {args[0]!r}; {nearest(args[0], tuple(self.commands))}")
        return super().resolve_command(ctx, args)
