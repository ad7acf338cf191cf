"""What ``ec init`` does to a project's files: the guard into ``env.py``, or a scaffold where there is no Alembic yet."""

from __future__ import annotations

import ast
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config

from expandcontract.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

IMPORT = "from expandcontract import guard"
CALL = "guard(context)"
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
# switch = "envoy"         # envoy, command or memory
steps = [10, 30, 50, 75, 100]
soak = "30s"
"""
ENVIRONMENT = """\
if "EC_DATABASE" in os.environ:
    address = parse(os.environ["EC_DATABASE"]).render_as_string(hide_password=False)
    config.set_main_option("sqlalchemy.url", address.replace("%", "%%"))
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
        ini: Where its ``alembic.ini`` is, or shall be.

    Raises:
        ConfigError: ``alembic.ini`` names no script folder.
    """
    created = [] if ini.is_file() else _scaffold(directory, ini)
    settings = directory / "expandcontract.toml"
    if not settings.is_file() and "[tool.expandcontract" not in _text(directory / "pyproject.toml"):
        settings.write_text(SETTINGS, encoding="utf-8")
        created.append(settings)
    location = Config(str(ini)).get_main_option("script_location")
    if location is None:
        raise ConfigError(f"{ini} names no script_location", hint="add script_location = migrations to it")
    env = directory / location / "env.py"
    text = _text(env)
    guarded = with_guard(text)
    if guarded is None:
        advice = f"{env}: add the line `{IMPORT}` to its imports, and `{CALL}` before each context.run_migrations()"
        return Attached(created=tuple(created), guarded=False, advice=advice)
    if guarded != text:
        env.write_text(guarded, encoding="utf-8")
    return Attached(created=tuple(created), guarded=True, advice="")


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _scaffold(directory: Path, ini: Path) -> list[Path]:
    folder = directory / "migrations"
    with redirect_stdout(StringIO()):
        command.init(Config(str(ini), stdout=StringIO()), str(folder))
    text = ini.read_text(encoding="utf-8").replace(str(folder), "%(here)s/migrations")
    ini.write_text(text, encoding="utf-8")
    env = folder / "env.py"
    lines = env.read_text(encoding="utf-8").replace(
        "config = context.config\n", f"config = context.config\n{ENVIRONMENT}", 1
    )
    lines = lines.replace("from alembic import context\n", "from alembic import context\n\nfrom expandcontract.pg.connect import parse\n", 1)
    env.write_text("import os\n" + lines, encoding="utf-8")
    return [ini, env, folder / "script.py.mako"]


def with_guard(text: str) -> str | None:
    """The text of an ``env.py`` with the guard in it; ``None`` where its shape is not the usual one."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return None
    calls = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Expr) and _calls(node, "run_migrations")]
    guards = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Expr) and _calls_guard(node)]
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    if not calls or not imports:
        return None
    if len(guards) >= len(calls):
        return text
    lines = text.splitlines(keepends=True)
    for number in sorted(calls, reverse=True):
        line = lines[number - 1]
        indent = line[: len(line) - len(line.lstrip())]
        if lines[number - 2].strip() != CALL:
            lines.insert(number - 1, f"{indent}{CALL}\n")
    if IMPORT not in text:
        lines.insert(imports[-1].end_lineno or imports[-1].lineno, f"{IMPORT}\n")
    return "".join(lines)


def _calls(node: ast.Expr, name: str) -> bool:
    value = node.value
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute) and value.func.attr == name


def _calls_guard(node: ast.Expr) -> bool:
    value = node.value
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id == "guard"
