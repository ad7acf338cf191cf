"""Every command, option and setting is documented, and nothing is documented that is not there."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

from expandcontract.cli.group import single
from expandcontract.cli.main import app
from expandcontract.cli.table import AUTO, COMMANDS, RECIPES
from expandcontract.config.load import load, names

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"


def options(command: Any) -> set[str]:
    """The long options of a command and of its sub-commands."""
    found = {name for param in command.params for name in param.opts if name.startswith("--")}
    for inner in getattr(command, "commands", {}).values():
        found |= options(inner)
    return found - {"--help"}


def page(name: str) -> str:
    """The text of a command's page."""
    return (REFERENCE / "commands" / f"{name}.md").read_text(encoding="utf-8")


def test_every_command_has_a_page_and_every_page_a_command() -> None:
    """The folder is the table of commands and an index that links to each."""
    pages = {path.stem for path in (REFERENCE / "commands").glob("*.md")}
    assert {*COMMANDS, "index"} == pages
    assert [] == [name for name in COMMANDS if f"({name}.md)" not in page("index")]


def test_every_recipe_has_a_page_and_every_page_a_recipe() -> None:
    """The folder is the table of recipes and an index that links to each, with the kind that the page says."""
    folder = REFERENCE / "recipes"
    index = (folder / "index.md").read_text(encoding="utf-8")
    assert {*RECIPES, AUTO, "index"} == {path.stem for path in folder.glob("*.md")}
    for name in RECIPES:
        text = (folder / f"{name}.md").read_text(encoding="utf-8")
        kind = re.search(r"^\*\*Kind:\*\* (.+)$", text, re.MULTILINE)
        assert kind is not None, name
        assert f"| [{name}]({name}.md) | {kind[1]} |" in index


@pytest.mark.parametrize("name", [*RECIPES, AUTO])
def test_a_recipes_page_has_every_option(name: str) -> None:
    """A recipe's page says what, how, and what each step does; its table of options is the sub-command's own."""
    module = import_module(f"expandcontract.cli.recipes.{name.replace('-', '_')}")
    text = (REFERENCE / "recipes" / f"{name}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    for section in ("## Usage", "## What it does"):
        assert section in text
    documented = set(re.findall(r"^\| `(--[a-z-]+)", text, flags=re.MULTILINE))
    assert options(single(module.command, name)) == documented
    if name != AUTO:  # it drafts through the others
        assert callable(import_module(f"expandcontract.revisions.recipes.{name.replace('-', '_')}").draft)


@pytest.mark.parametrize("name", COMMANDS)
def test_page_has_its_sections_and_every_option(name: str) -> None:
    """A page says what, how, with which exit codes and which document; its table of options is the command's own."""
    module = import_module(f"expandcontract.cli.commands.{name}")
    command = getattr(module, "group", None) or single(module.command, name)
    text = page(name)
    assert text.startswith(f"# `ec {name}`\n")
    for section in ("## Usage", "## Exit codes", "## `--json`", "## Example"):
        assert section in text
    documented = set(re.findall(r"^\| `(--[a-z-]+)", text, flags=re.MULTILINE))
    assert (options(command) if name != "new" else {"--name", "--json"}) == documented


def test_global_options_are_documented() -> None:
    """What ``ec`` itself takes stands in the index."""
    command = typer.main.get_command(app)
    assert [] == [option for option in options(command) if f"`{option}" not in page("index")]


def test_every_setting_is_documented() -> None:
    """The table of settings has exactly the settings that exist, each with its variable."""
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| `(EC_[A-Z_]+)` \|", text, flags=re.MULTILINE))
    assert {name: "EC_" + name.upper().replace(".", "__") for name in names()} == rows


def test_the_example_file_loads(tmp_path: Path) -> None:
    """The settings shown as an example are accepted as they stand."""
    text = (REFERENCE / "settings.md").read_text(encoding="utf-8")
    example = text.split("```toml\n")[1].split("```")[0]
    assert tomllib.loads(example)
    (tmp_path / "expandcontract.toml").write_text(example, encoding="utf-8")
    assert load(tmp_path).traffic.switch == "envoy"
