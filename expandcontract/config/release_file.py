"""``expandcontract.release.toml``: what a release says of itself, kept with its code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, ValidationError

from expandcontract.config.section import Section
from expandcontract.config.source import read as read_toml
from expandcontract.core.declaration import Declaration
from expandcontract.core.release import Speaks  # noqa: TC001 - pydantic reads the annotations
from expandcontract.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "expandcontract.release.toml"
VERSION = "{version}"


class ReleaseFile(Section):
    """The whole file; an unknown key is an error."""

    version: str | None = Field(default=None, description="Of which release it is.")
    baseline: str | None = Field(default=None, description="The newest contract revision that it was built on.")
    speaks: dict[str, Speaks] = Field(default_factory=dict, description="What it speaks of each open change.")


def release_file(directory: Path, template: str | None, version: str) -> Declaration | None:
    """What the file says; ``None`` where there is none and none was asked for.

    Args:
        directory: Of the settings.
        template: Setting ``deploy.release_file``; with ``{version}`` in it each release has its own file.
        version: The release that is to be deployed.

    Raises:
        ConfigError: The file that is set is not there, is not TOML, or says something else than a release file does.
    """
    file = directory / (template or NAME).replace(VERSION, version)
    if not file.is_file():
        if template is None:
            return None
        msg = f"deploy.release_file leads to {file}, which is not there"
        raise ConfigError(msg, hint=f"put {NAME} into the release, or leave deploy.release_file out")
    try:
        found = ReleaseFile.model_validate(read_toml(file))
    except ValidationError as exc:
        error = exc.errors(include_url=False)[0]
        key = ".".join(map(str, error["loc"]))
        msg = f"{file}: {key}: {error['msg']}, found {error['input']!r}"
        raise ConfigError(msg, hint=f'{NAME} has version, baseline and [speaks] with CHANGE = "new"') from None
    own = version if VERSION in (template or "") else None
    return Declaration(source=str(file), version=found.version or own, baseline=found.baseline, speaks=found.speaks)
