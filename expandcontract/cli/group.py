"""Typer groups that import a command's module only when that command runs."""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import typer
from typer.core import TyperGroup

from expandcontract.cli.table import AUTO, COMMANDS, RECIPES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def single(function: Callable[..., Any], name: str) -> Any:
    """The command made of one function; its docstring is the help."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name)(function)
    return typer.main.get_command(app)


def nearest(name: str, known: tuple[str, ...]) -> str:
    """`` Did you mean …?`` where a known name is near, else all of them."""
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"


class _TableGroup(TyperGroup):
    """Lists the names of a table; loads one's module when it is called."""

    table: ClassVar[Mapping[str, str]]
    package: ClassVar[str]
    word: ClassVar[str]

    def list_commands(self, ctx: Any) -> list[str]:
        """The names, in the table's order."""
        del ctx
        return list(self.table)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, its module imported now; ``None`` where there is none of that name."""
        del ctx
        if cmd_name not in self.table:
            return None
        module = import_module(f"expandcontract.cli.{self.package}.{cmd_name.replace('-', '_')}")
        return getattr(module, "group", None) or single(module.command, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As Typer's, but an unknown name is answered with the nearest one."""
        name = args[0]
        if name not in self.table and not name.startswith("-"):
            ctx.fail(f"no {self.word} is called {name!r}; {nearest(name, tuple(self.table))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the table; Typer's own way would import every module."""
        del ctx
        with formatter.section(f"{self.word}s".capitalize()):
            formatter.write_dl(list(self.table.items()))


class LazyGroup(_TableGroup):
    """``ec`` itself."""

    table = COMMANDS
    package = "commands"
    word = "command"


class RecipeGroup(_TableGroup):
    """``ec new``."""

    table: ClassVar[Mapping[str, str]] = {
        AUTO: "Write pairs for what your models have and the database has not.",
        **RECIPES,
    }
    package = "recipes"
    word = "recipe"
