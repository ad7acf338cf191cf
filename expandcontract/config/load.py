"""Reading the settings: file, then environment, then flags, each over the one before."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from expandcontract.config import source
from expandcontract.config.settings import ColorSettings, Settings
from expandcontract.core.color import Color
from expandcontract.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic_core import ErrorDetails
    from pydantic_settings import BaseSettings, PydanticBaseSettingsSource


def load(place: Path, **flags: Any) -> Settings:
    """The settings that hold for ``place``, a directory or a settings file.

    Args:
        place: Where the project is; the Alembic file is relative to it.
        flags: Settings given on the command line, over all; ``None`` is not given.

    Raises:
        ConfigError: A key is unknown (the nearest is named), a value is malformed, or two files hold settings.
    """
    file = source.find(place)
    given = {name: value for name, value in flags.items() if value is not None}
    layers = {"flags": given, "environment": source.environment(names()), "file": source.read(file) if file else {}}
    try:
        settings = _over(layers)(**given)
    except ValidationError as exc:
        raise _fault(exc.errors(include_url=False)[0], layers, file) from None
    directory = place.parent if place.is_file() else place
    ini = (directory / settings.alembic).resolve()
    url = settings.database.get_secret_value() if settings.database else source.alembic_url(ini)
    return _over(layers)(**{**given, "alembic": ini, "database": url})


def names(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """The dotted name of every setting: ``window.length``, ``colors.blue.role``."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from names(kind, f"{prefix}{name}.")
        elif get_origin(kind) is dict and ColorSettings in get_args(kind):
            for color in Color:
                yield from names(ColorSettings, f"{prefix}{name}.{color}.")
        else:
            yield prefix + name


def _over(layers: dict[str, dict[str, Any]]) -> type[Settings]:
    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, *_: Any, **__: Any
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            below = (source.Read(settings_cls, layers[layer]) for layer in ("environment", "file"))
            return (init_settings, *below)

    return Layered


def _fault(error: ErrorDetails, layers: dict[str, dict[str, Any]], file: Path | None) -> ConfigError:
    path = [str(part) for part in error["loc"] if part != "[key]"]
    name, where = ".".join(path), _where(path, layers, file)
    if error["type"] == "extra_forbidden" or (path[:1] == ["colors"] and "[key]" in error["loc"]):
        near = get_close_matches(name, _known(path), n=1, cutoff=0.0)
        hint = f"the nearest that exists is {near[0]}" if near else "see docs/reference/settings.md"
        return ConfigError(f"no setting is called {name} ({where})", hint=hint)
    reason = error["msg"].removeprefix("Value error, ")
    told = path == ["database"] or "found" in reason or reason.startswith(repr(error["input"]))
    shown = "" if told else f", found {error['input']!r}"
    return ConfigError(f"{name}: {reason}{shown} ({where})", hint="see docs/reference/settings.md")


def _known(path: list[str]) -> list[str]:
    """The settings and tables that may stand where ``path`` ends."""
    depth = len(path)
    every = {".".join(name.split(".")[:depth]) for name in names() if name.count(".") >= depth - 1}
    beside = {name for name in every if name.split(".")[:-1] == path[:-1]}
    return sorted(beside or set(names()))


def _where(path: list[str], layers: dict[str, dict[str, Any]], file: Path | None) -> str:
    variable = source.PREFIX + "__".join(path).upper()
    labels = {"flags": "flag", "environment": f"variable {variable}", "file": str(file)}
    for layer, document in layers.items():
        found: Any = document
        for part in path:
            found = found.get(part) if isinstance(found, dict) else None
        if found is not None:
            return labels[layer]
    return "default"
