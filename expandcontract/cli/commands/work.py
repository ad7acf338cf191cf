"""``ec work``."""

from importlib.resources import files
from string import Template
from typing import Annotated

import typer

from expandcontract.cli.options import Change, Json, JsonLines
from expandcontract.cli.play import play
from expandcontract.cli.session import place, runner
from expandcontract.cli.words import duration

KUBERNETES = "kubernetes"


def command(  # noqa: PLR0913  # one flag each
    ctx: typer.Context,
    change: Change,
    *,
    workers: Annotated[int | None, typer.Option("--workers", min=1, help="Threads of this process.")] = None,
    wait: Annotated[
        str | None, typer.Option("--wait", metavar="10m", help="Wait for the backfill to begin, at most this long.")
    ] = None,
    manifest: Annotated[
        str | None, typer.Option("--manifest", metavar="kubernetes", help="Print a manifest instead of working.")
    ] = None,
    image: Annotated[str, typer.Option("--image", help="With --manifest: an image that has ec.")] = "expandcontract",
    pods: Annotated[int, typer.Option("--pods", min=1, help="With --manifest: how many processes.")] = 4,
    secret: Annotated[  # the name of a secret, and none itself
        str, typer.Option("--secret", help="With --manifest: a secret whose key `database` has the address.")
    ] = "expandcontract",  # noqa: S107
    json: Json = False,
    json_lines: JsonLines = False,
) -> None:
    """Fill segments of a backfill that another process has begun, until none is left.

    Any number of these may run, on any number of machines. Needs the database and nothing of the project.
    """
    if manifest is not None:
        if manifest != KUBERNETES:
            msg = f"{manifest!r} is not known; it can be {KUBERNETES}"
            raise typer.BadParameter(msg, param_hint="--manifest")
        text = files("expandcontract.cli.manifests").joinpath("work.yaml").read_text(encoding="utf-8")
        name = f"ec-work-{change}".replace("_", "-")[:63].rstrip("-")
        given = {"change": change, "name": name, "image": image, "pods": pods, "secret": secret}
        typer.echo(Template(text).substitute(given, workers=workers or 1), nl=False)
        return
    left = f"segments of this process are free again; ec work {change} goes on"
    from expandcontract.runner.work import work  # noqa: PLC0415 - SQLAlchemy is not for --help

    play(
        work(place(ctx), change, workers=workers, wait=duration(wait)),
        json=json,
        lines=json_lines,
        status=lambda: runner(ctx).status(change, files=False),
        left=left,
    )
