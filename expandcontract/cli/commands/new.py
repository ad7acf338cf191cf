"""``ec new``: one sub-command a recipe, each in a file of its own."""

import typer

from expandcontract.cli.group import RecipeGroup

app = typer.Typer(
    cls=RecipeGroup, help="Write the pair of revisions of a change.", add_completion=False, rich_markup_mode=None
)


@app.callback()
def _recipes() -> None:
    """Write the pair of revisions of a change."""


group = typer.main.get_command(app)
