"""Where settings stand: which file, which environment variables, and the Alembic file's address."""

from __future__ import annotations

import os
import tomllib
from configparser import ConfigParser, Error
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from pydantic_settings import PydanticBaseSettingsSource

from expandcontract.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from pydantic.fields import FieldInfo

OWN_FILE = "expandcontract.toml"
SHARED_FILE = "pyproject.toml"
PREFIX = "EC_"
OURS = frozenset({"EC_COLOR", "EC_URL", "EC_VERSION", "EC_ROLE", "EC_SPEAKS"})
"""What deploy and smoke commands are given; an ``ec`` that they start must not take it for settings."""
OPTIONS = "EC_TRAFFIC__OPTIONS__"
PLACEHOLDER = "driver://"


def find(place: Path) -> Path | None:
    """The file that holds the settings of ``place``, a directory or the file itself.

    Raises:
        ConfigError: A file that was named is not there, or two files hold settings.
    """
    if not place.exists():
        msg = f"no settings at {place}"
        raise ConfigError(msg, hint="--config takes a directory or a .toml file")
    if place.is_file():
        return place
    own, shared = place / OWN_FILE, place / SHARED_FILE
    in_shared = shared.is_file() and "expandcontract" in _parse(shared).get("tool", {})
    if own.is_file() and in_shared:
        msg = f"settings stand in both {own} and {shared} [tool.expandcontract]; they are never merged"
        raise ConfigError(msg, hint=f"keep one of them, or name it: ec --config {OWN_FILE} …")
    if own.is_file():
        return own
    return shared if in_shared else None


def read(file: Path) -> dict[str, Any]:
    """The settings in ``file``, unchecked.

    Raises:
        ConfigError: It is not TOML.
    """
    document = _parse(file)
    if file.name == SHARED_FILE:
        table = document.get("tool", {}).get("expandcontract", {})
        return dict(table)
    return document


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        msg = f"{file} is not TOML: {exc}"
        raise ConfigError(msg, hint="check the line that the message names") from exc
    except OSError as exc:
        msg = f"{file} cannot be read: {exc.strerror}"
        raise ConfigError(msg) from exc


def environment(known: Iterable[str]) -> dict[str, Any]:
    """The settings in ``EC_*`` variables; two underscores lead into a table: ``EC_WINDOW__LENGTH``.

    Args:
        known: The full dotted names of the settings, to tell a misspelt variable from a stranger's.

    Raises:
        ConfigError: A variable is almost, but not quite, one of ours.
    """
    names = {PREFIX + name.upper().replace(".", "__"): name for name in known}
    found: dict[str, Any] = {}
    for variable, value in sorted(os.environ.items()):
        if not variable.startswith(PREFIX) or variable in OURS:
            continue
        if variable in names or variable.startswith(OPTIONS):
            _put(found, variable.removeprefix(PREFIX).lower().split("__"), value)
            continue
        near = get_close_matches(variable, names, n=1, cutoff=0.85)
        if near or "__" in variable:
            near = near or get_close_matches(variable, names, n=1, cutoff=0)
            msg = f"no setting for the variable {variable}"
            raise ConfigError(msg, hint=f"the nearest is {near[0]}")
    return found


def _put(into: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        into = into.setdefault(part, {})
    into[path[-1]] = value


def alembic_url(ini: Path) -> str | None:
    """``sqlalchemy.url`` of the Alembic file, or ``None`` where there is none but the scaffold's placeholder.

    Raises:
        ConfigError: The file cannot be read as an Alembic file.
    """
    if not ini.is_file():
        return None
    parser = ConfigParser(defaults={"here": str(ini.parent).replace("%", "%%")})
    try:
        parser.read(ini, encoding="utf-8")
        url = parser.get("alembic", "sqlalchemy.url", fallback="").strip()
    except (Error, UnicodeDecodeError) as exc:
        reason = str(exc).splitlines()[0] if not isinstance(exc, Error) else type(exc).__name__
        msg = f"{ini} cannot be read: {reason}"
        raise ConfigError(msg, hint="write % as %% in sqlalchemy.url") from None
    return None if not url or url.startswith(PLACEHOLDER) else url


class Read(PydanticBaseSettingsSource):
    """A source that was read already; pydantic-settings lays it over the ones below."""

    def __init__(self, settings: type[Any], document: dict[str, Any]) -> None:
        super().__init__(settings)
        self.document = document

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The value of one field, its key, and that it needs no decoding."""
        del field
        return self.document.get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        """All of it."""
        return self.document
