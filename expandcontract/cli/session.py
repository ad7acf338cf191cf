"""What one ``ec`` process was called with, and the runner made of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from expandcontract.config.settings import Settings
    from expandcontract.runner.place import Place
    from expandcontract.runner.runner import Runner


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The global flags.

    Attributes:
        place: ``--config``: the project's directory or its settings file; ``None``: the working directory.
        database: ``--database``.
        debug: ``--debug``.
    """

    place: str | None = None
    database: str | None = None
    debug: bool = False

    @property
    def directory(self) -> Path:
        """The project's directory."""
        place = Path(self.place or ".").resolve()
        return place.parent if place.is_file() else place

    def settings(self, **flags: object) -> Settings:
        """The settings with the global flags over them, and those of a command.

        Raises:
            ConfigError: A key is unknown or a value malformed.
        """
        from expandcontract.config.load import load  # noqa: PLC0415 - pydantic is not for --help

        return load(Path(self.place or ".").resolve(), database=self.database, **flags)


def place(ctx: typer.Context, **flags: object) -> Place:
    """Where this process works; arguments as of :func:`runner`."""
    from expandcontract.runner.place import Place  # noqa: PLC0415 - SQLAlchemy is not for --help

    session: Session = ctx.find_object(Session) or Session()
    settings, directory = session.settings(**flags), session.directory
    if session.place is not None:
        # Alembic and the project's own commands take relative paths from the working directory
        os.chdir(directory)
    return Place(settings, directory)


def runner(ctx: typer.Context, **flags: object) -> Runner:
    """The runner for this process's project and database; it connects when it is asked something.

    Args:
        ctx: Of the command.
        flags: Settings that the command's own flags give, over file and environment; ``None`` is not given.
    """
    from expandcontract.runner.runner import Runner  # noqa: PLC0415 - Alembic is not for --help

    found = place(ctx, **flags)
    return Runner(found.settings, found.directory, place=found)
