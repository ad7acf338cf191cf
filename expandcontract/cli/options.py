"""Flags that several commands share, so that they read alike everywhere."""

from __future__ import annotations

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One document on standard output.")]
JsonLines = Annotated[bool, typer.Option("--json-lines", help="Each event as one document on a line, as it comes.")]
Change = Annotated[str, typer.Argument(metavar="CHANGE", help="Name of the change.")]
AnyChange = Annotated[str | None, typer.Argument(metavar="[CHANGE]", help="Only this change.")]
Table = Annotated[str, typer.Argument(metavar="TABLE", help="table or schema.table")]
Name = Annotated[str | None, typer.Option("--name", help="Of the change; default: made of what it changes.")]
Constraint = Annotated[
    str | None,
    typer.Option("--constraint", metavar="NAME", help="Of the constraint; default: as PostgreSQL would name it."),
]
Lossy = Annotated[bool, typer.Option("--lossy", help="Going back may not restore every value.")]
Changes = Annotated[list[str], typer.Argument(metavar="CHANGE...", help="Names of the changes.")]
SomeChanges = Annotated[list[str] | None, typer.Argument(metavar="[CHANGE...]", help="Names of the changes.")]
Every = Annotated[bool, typer.Option("--all", help="Every change that is under way, instead of names.")]
Fence = Annotated[
    bool,
    typer.Option("--fence", help="At contract: lock out the login role of the old release, and end its sessions."),
]
Release = Annotated[
    str | None, typer.Option("--release", metavar="VERSION", help="The release that the move deploys and shifts to.")
]
By = Annotated[str | None, typer.Option("--by", metavar="database", help="Let the triggers alone write both shapes.")]
Speaks = Annotated[
    list[str] | None,
    typer.Option("--speaks", metavar="CHANGE=SHAPE", help="What the release speaks: old, dual or new; repeatable."),
]
Steps = Annotated[
    str | None, typer.Option("--steps", metavar="10,50,100", help="Per cents of the shift; over `traffic.steps`.")
]
TerminateIdle = Annotated[
    bool,
    typer.Option(
        "--terminate-idle",
        help="End sessions of the application roles that block us idle in transaction; each is named.",
    ),
]
