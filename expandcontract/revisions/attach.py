"""What ``ec init`` does to a project's files: the guard into ``env.py``, or a scaffold where there is no Alembic."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

from alembic.config import Config

from expandcontract.errors import ConfigError
from expandcontract.revisions.guarding import CALL, IMPORT, with_guard

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATES = "expandcontract.revisions.templates"
SCAFFOLD = {"env.py.txt": "env.py", "script.py.mako": "script.py.mako"}
SETTINGS = """\
# Settings of expandcontract; each can also be given as EC_… in the environment.
# database = "postgresql://owner@localhost:5432/shop"   # default: sqlalchemy.url of alembic.ini

[window]
length = "24h"             # how long the way back stays open after cut-over

[colors.blue]
# role = "app_blue"        # the login role of the release on blue
# url = "http://127.0.0.1:8001"

[colors.green]
# role = "app_green"
# url = "http://127.0.0.1:8002"

[traffic]
# switch = "envoy"         # or haproxy, nginx, kubernetes-service, gateway-api, istio, command, memory
steps = [10, 30, 50, 75, 100]
soak = "30s"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What was done to the files.

    Attributes:
        created: Files that were made.
        guarded: Whether ``env.py`` has the guard now.
        advice: What to add by hand where it could not be added; empty otherwise.
    """

    created: tuple[Path, ...]
    guarded: bool
    advice: str


def attach(directory: Path, ini: Path) -> Attached:
    """Put the guard into the environment of ``ini``, or make an environment. May run any number of times.

    Args:
        directory: The project's top folder.
        ini: Where its ``alembic.ini`` is, or shall be; ``[tool.alembic]`` in ``pyproject.toml`` serves too.

    Raises:
        ConfigError: The environment names no script folder or has no ``env.py``, or a folder ``migrations`` of another
            kind is in the way; nothing was written.
    """
    settings = directory / "expandcontract.toml"
    pyproject = _toml(directory / "pyproject.toml")
    wanted = not settings.is_file() and "expandcontract" not in pyproject
    if not ini.is_file() and "alembic" not in pyproject:
        created, guarded = _scaffold(directory, ini), True
        advice = ""
    else:
        env = _location(directory, ini) / "env.py"
        created, guarded, advice = [], *_guard(env)
    if wanted:
        settings.write_text(SETTINGS, encoding="utf-8")
        created.append(settings)
    return Attached(created=tuple(created), guarded=guarded, advice=advice)


def _toml(path: Path) -> dict[str, object]:
    if not path.is_file():
        return {}
    try:
        tools = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        msg = f"{path} cannot be read: {exc}"
        raise ConfigError(msg) from exc
    return dict(tools)


def _location(directory: Path, ini: Path) -> Path:
    config = Config(str(ini), toml_file=str(directory / "pyproject.toml"))
    location = config.get_alembic_option("script_location")
    if location is None:
        msg = f"{ini} names no script_location"
        raise ConfigError(msg, hint="add script_location = migrations to it")
    return directory / location


def _guard(env: Path) -> tuple[bool, str]:
    if not env.is_file():
        msg = f"there is no {env}"
        raise ConfigError(msg, hint="correct script_location, or run alembic init")
    # bytes, so that line ends stay as they are
    source = env.read_bytes().decode()
    guarded = with_guard(source)
    if guarded is None:
        return (
            False,
            f"{env}: add the line `{IMPORT}` to its imports, and `{CALL}` before each context.run_migrations()",
        )
    if guarded != source:
        env.write_bytes(guarded.encode())
    return True, ""


def _scaffold(directory: Path, ini: Path) -> list[Path]:
    folder = directory / "migrations"
    if folder.exists() and any(folder.iterdir()):
        msg = f"{folder} holds files already, and there is no {ini} that says what they are"
        raise ConfigError(msg, hint="restore alembic.ini, or move the folder away")
    (folder / "versions").mkdir(parents=True, exist_ok=True)
    written = {ini: "alembic.ini"} | {folder / name: template for template, name in SCAFFOLD.items()}
    for path, template in written.items():
        path.write_text(files(TEMPLATES).joinpath(template).read_text(encoding="utf-8"), encoding="utf-8")
    return list(written)
