"""Settings come from a file, the environment and flags, in rising order; what is wrong is named with its place."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from expandcontract.config.duration import format_duration, parse_duration
from expandcontract.config.load import load, names
from expandcontract.core.color import Color
from expandcontract.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("EC_")]:
        monkeypatch.delenv(name)


def write(place: Path, text: str, name: str = "expandcontract.toml") -> Path:
    """A file of that text."""
    file = place / name
    file.write_text(text, encoding="utf-8")
    return file


def test_defaults(tmp_path: Path) -> None:
    """Without any source every setting has its default, and no database is guessed."""
    found = load(tmp_path)
    assert found.database is None
    assert timedelta(hours=24) == found.window.length
    assert (10, 30, 50, 75, 100) == found.traffic.steps
    assert found.color(Color.BLUE).role is None
    assert tmp_path.resolve() / "alembic.ini" == found.alembic


def test_later_sources_rise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A flag is over the environment, the environment over the file; tables are merged key by key."""
    write(tmp_path, 'database = "postgresql://file"\n[window]\nlength = "1h"\n[lock]\nbudget = "3s"\n')
    monkeypatch.setenv("EC_DATABASE", "postgresql://environment")
    monkeypatch.setenv("EC_LOCK__BUDGET", "4s")
    found = load(tmp_path, database="postgresql://flag")
    assert found.database is not None
    assert found.database.get_secret_value() == "postgresql://flag"
    assert timedelta(hours=1) == found.window.length
    assert timedelta(seconds=4) == found.lock.budget


def test_environment_reads_tables_lists_and_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two underscores lead into a table; lists are written with commas, commands as a shell would read them."""
    monkeypatch.setenv("EC_COLORS__GREEN__ROLE", "app_green")
    monkeypatch.setenv("EC_TRAFFIC__STEPS", "50, 100")
    monkeypatch.setenv("EC_TRAFFIC__OPTIONS__ROUTES", "/etc/routes.json")
    monkeypatch.setenv("EC_SMOKE__COMMAND", "curl -f 'a b'")
    found = load(tmp_path)
    assert found.color(Color.GREEN).role == "app_green"
    assert (50, 100) == found.traffic.steps
    assert {"routes": "/etc/routes.json"} == found.traffic.options
    assert ("curl", "-f", "a b") == found.smoke.command


def test_variables_of_deploy_commands_are_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ``ec`` that a deploy or smoke command starts does not stumble over what that command was given."""
    for name in ("EC_COLOR", "EC_URL", "EC_VERSION", "EC_SOMETHING_OF_SOMEBODY"):
        monkeypatch.setenv(name, "x")
    assert load(tmp_path).colors == {}


def test_pyproject_table(tmp_path: Path) -> None:
    """``[tool.expandcontract]`` of pyproject.toml holds the same settings; other tables are none of ours."""
    write(tmp_path, '[tool.other]\nx = 1\n[tool.expandcontract.window]\nlength = "7d"\n', "pyproject.toml")
    assert timedelta(days=7) == load(tmp_path).window.length


def test_two_files_are_refused_by_name(tmp_path: Path) -> None:
    """Where both files hold settings, neither is guessed; both are named."""
    write(tmp_path, "")
    write(tmp_path, "[tool.expandcontract]\n", "pyproject.toml")
    with pytest.raises(ConfigError, match=r"expandcontract\.toml and .*pyproject\.toml"):
        load(tmp_path)


def test_a_named_file_is_taken(tmp_path: Path) -> None:
    """``--config FILE`` reads that file, and the project is where it stands."""
    file = write(tmp_path, 'alembic = "db/alembic.ini"\n', "staging.toml")
    assert tmp_path.resolve() / "db" / "alembic.ini" == load(file).alembic


def test_database_of_the_alembic_file(tmp_path: Path) -> None:
    """Where no source names a database, ``sqlalchemy.url`` of the Alembic file does; its placeholder does not."""
    write(tmp_path, "[alembic]\nsqlalchemy.url = postgresql://ec:a%%40b@db/shop\n", "alembic.ini")
    found = load(tmp_path).database
    assert found is not None
    assert found.get_secret_value() == "postgresql://ec:a%40b@db/shop"
    write(tmp_path, "[alembic]\nsqlalchemy.url = driver://user:pass@localhost/dbname\n", "alembic.ini")
    assert load(tmp_path).database is None


WRONG = {
    '[window]\nlenght = "1h"': ("no setting is called window.lenght", "window.length"),
    "windw = 1": ("no setting is called windw", "window"),
    '[colors.bleu]\nrole = "x"': ("no setting is called colors.bleu", "colors.blue"),
    '[colors.blue]\nrolle = "x"': ("no setting is called colors.blue.rolle", "colors.blue.role"),
    "[window]\nlength = 5": ("window.length: 5 has no unit; write 30s", "settings.md"),
    '[window]\nlength = "5 weeks"': ("window.length: '5 weeks' is not a duration", "settings.md"),
    "[traffic]\nsteps = [50, 20]": ("traffic.steps: steps must rise and end at 100", "settings.md"),
    '[backfill]\nstripes = "a"': ("backfill.stripes: ", "settings.md"),
    "[backfill]\nstripes = 12": ("backfill.stripes: stripes must be a power of two", "settings.md"),
    "[window": ("expandcontract.toml is not TOML", "line"),
    'window = "1h"': ("window: ", "settings.md"),
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_file(text: str, tmp_path: Path) -> None:
    """What is wrong is named with its file, and the hint names the nearest that exists."""
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    message, hint = WRONG[text]
    assert message in caught.value.message
    assert str(file) in caught.value.message
    assert hint in str(caught.value.hint)
    assert "\n" not in caught.value.message


def test_wrong_variable_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A malformed variable is named, and so is one that is almost ours."""
    monkeypatch.setenv("EC_WINDOW__LENGTH", "soon")
    with pytest.raises(ConfigError, match="variable EC_WINDOW__LENGTH"):
        load(tmp_path)
    monkeypatch.delenv("EC_WINDOW__LENGTH")
    monkeypatch.setenv("EC_WINDOW_LENGTH", "1h")
    with pytest.raises(ConfigError, match="EC_WINDOW_LENGTH") as caught:
        load(tmp_path)
    assert caught.value.hint == "the nearest is EC_WINDOW__LENGTH"


def test_database_never_shows_its_password(tmp_path: Path) -> None:
    """Neither printing the settings nor an error about them shows the address."""
    assert "s3cr3t" not in repr(load(tmp_path, database="postgresql://ec:s3cr3t@db/shop"))
    write(tmp_path, 'database = ["postgresql://ec:s3cr3t@db/shop"]')
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert "s3cr3t" not in caught.value.message


def test_names_are_dotted() -> None:
    """The list of settings reaches into tables and colors."""
    assert {"database", "window.length", "colors.green.url", "traffic.options"} <= set(names())


@pytest.mark.parametrize("text", ["30s", "15m", "1d", "1h30m", "500ms", "23h59m"])
def test_durations_read_and_write_alike(text: str) -> None:
    """What is printed reads back as the same length."""
    assert text == format_duration(parse_duration(text))
