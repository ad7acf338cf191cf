"""What every recipe's sub-command does: one call of the runner, then the files that it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.cli.screen import emit, screen
from expandcontract.cli.session import runner

if TYPE_CHECKING:
    import typer

    from expandcontract.runner.events import Written


def write(ctx: typer.Context, recipe: str, *, json: bool, **arguments: object) -> None:
    """Let the runner write the pair, and show its files and what there is to know of it."""
    show(runner(ctx).new(recipe, **arguments), json=json)


def show(written: Written, *, json: bool) -> None:
    """The files, and what there is to know of them."""
    if json:
        emit({"written": [str(path) for path in written.paths], "notes": list(written.notes)})
        return
    out = screen()
    for path in written.paths:
        out.line(f"wrote {path}")
    for note in written.notes:
        out.line(f"to know: {note}")
    out.line("next: read the files, commit them, then ec status" if written.paths else "the models have nothing new")
