"""``ec new``: one sub-command a recipe."""

from typing import Annotated

import typer

from expandcontract.cli.group import RecipeGroup
from expandcontract.cli.options import Json
from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner

app = typer.Typer(
    cls=RecipeGroup, help="Write the pair of revisions of a change.", add_completion=False, rich_markup_mode=None
)


@app.callback()
def _recipes() -> None:
    """Write the pair of revisions of a change."""


@app.command("rename-column")
def rename_column(
    ctx: typer.Context,
    table: Annotated[str, typer.Argument(metavar="TABLE", help="table or schema.table")],
    old: Annotated[str, typer.Argument(metavar="OLD", help="The column's name now.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The name it shall have.")],
    *,
    name: Annotated[str | None, typer.Option("--name", help="Of the change; default: TABLE_OLD_to_NEW.")] = None,
    json: Json = False,
) -> None:
    """Write a pair that renames a column: type, default, comment, grants, indexes and constraints come along."""
    written = runner(ctx).new_rename_column(table, old, new, name)
    if json:
        emit({"written": [str(path) for path in written]})
        return
    out = screen()
    for path in written:
        out.line(f"wrote {path}")
    out.line("next: read both files, commit them, then ec status")


group = typer.main.get_command(app)
