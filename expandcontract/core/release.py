"""Releases: the version on a color, and what it speaks of each change."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from expandcontract.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from expandcontract.core.color import Color


class Speaks(StrEnum):
    """Which shape of a change a release reads and writes."""

    OLD = "old"
    """Reads and writes the old shape."""
    DUAL = "dual"
    """Reads the old shape, writes both."""
    NEW = "new"
    """Reads and writes the new shape."""


def check_version(version: str) -> str:
    """``version`` itself, where it can name a release; what a ledger holds already is not asked again.

    Raises:
        UsageError: It is empty, as an unset variable of a pipeline is, or holds white space.
    """
    if version.split() != [version]:
        msg = f"{version!r} names no release: a version is one word"
        raise UsageError(msg, hint="an image tag or a commit, like v2")
    return version


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A version deployed on a color.

    Attributes:
        color: Where it is deployed.
        version: As the deployer knows it: an image tag, a commit.
        baseline: The newest contract revision that was applied and known when the release was built; ``None`` where
            there was none.
        speaks: For each change it lists, what it speaks; an open change it does not list is spoken ``old``.
        deployed_at: When it was recorded, on the database's clock.
    """

    color: Color
    version: str
    baseline: str | None = None
    speaks: Mapping[str, Speaks] = field(default_factory=lambda: MappingProxyType({}))
    deployed_at: datetime | None = None

    def __str__(self) -> str:
        return f"{self.version} on {self.color}"
