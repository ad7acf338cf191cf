"""The pages say what the tables and classes say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
import typer

from expandcontract import errors
from expandcontract.cli.main import app
from expandcontract.core.fit import FITS
from expandcontract.core.phase import ORDER, ROUTES, TRANSITIONS, Kind
from expandcontract.core.plan import AT_THE_END, GATES
from expandcontract.core.release import Speaks
from expandcontract.pg.preflight import QUERIES

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "docs" / "reference"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^ *```\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def _classes(parent: type[errors.ExpandContractError]) -> list[type[errors.ExpandContractError]]:
    found = []
    for child in parent.__subclasses__():
        if child.__module__ == errors.__name__:
            found += [child, *_classes(child)]
    return found


def test_a_page_for_every_gate() -> None:
    """Each gate has its page with its code and the moves that ask it, and no page is left over."""
    gates = {gate.name: gate for table in (GATES, AT_THE_END) for asked in table.values() for gate in asked}
    pages = {page.stem for page in (REFERENCE / "gates").glob("*.md")} - {"index"}
    assert pages == set(gates)
    for name, gate in gates.items():
        text = (REFERENCE / "gates" / f"{name}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {name} ({gate.code})\n")
        asked_for = re.search(r"\*\*Asked for:\*\* (.*)", text)
        assert asked_for is not None
        moves = {str(move) for move, asked in GATES.items() if gate in asked}
        if "Every move" in asked_for[1]:
            assert moves == {str(move) for move in GATES}
        else:
            ends = {f"end of {move}" for move, asked in AT_THE_END.items() if gate in asked}
            said = {word for word in map(str, GATES) if re.search(rf"(?<!end of ){word}", asked_for[1])}
            assert said == moves
            assert all(end in asked_for[1] for end in ends)


def test_a_page_for_every_error() -> None:
    """Each error class has its page, with its exit code."""
    classes = {found.code: found for found in _classes(errors.ExpandContractError)}
    assert {page.stem for page in (REFERENCE / "errors").glob("*.md")} - {"index"} == set(classes)
    for code, found in classes.items():
        text = (REFERENCE / "errors" / f"{code}.md").read_text(encoding="utf-8")
        assert text.startswith(f"# {code}: {found.__name__}\n")
        assert f"**Exit code:** {found.exit_code}\n" in text


def test_the_diagram_and_the_fit_table_are_the_tables() -> None:
    """The page of the phases is drawn from ``TRANSITIONS``, ``ROUTES`` and ``FITS``."""
    text = (REFERENCE / "phases.md").read_text(encoding="utf-8")
    arrows = re.findall(r"^    (\w+) --> (\w+): ([\w-]+)$", text, re.MULTILINE)
    assert arrows == [(start, end, move) for start, moves in TRANSITIONS.items() for move, end in moves.items()]
    for kind in Kind:
        section = text.split(f"### {kind}\n", 1)[1].split("\n### ", 1)[0]
        rows = [
            f"| {phase} | {' | '.join('fits' if speaks in FITS[kind][phase] else 'no' for speaks in Speaks)} |"
            for phase in ROUTES[kind]
        ]
        assert rows == [line for line in section.splitlines() if line.startswith("| ") and line.split()[1] in ORDER]


def test_every_check_of_the_preflight_is_listed() -> None:
    """The page has one row a query, and says refuses or warns as the query does."""
    text = (REFERENCE / "preflight.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| (\w+_\w+) \| ([^|]+) \|", text, re.MULTILINE))
    assert set(QUERIES) == set(rows)
    for name, query in QUERIES.items():
        assert {word for word in ("refuse", "warn") if f"'{word}'" in query} == {
            word for word in ("refuse", "warn") if f"{word}s" in rows[name]
        }, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link names a file that is there."""
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        assert "://" in target or (page.parent / target).exists(), target


def test_commands_in_guides_exist() -> None:
    """Every ``ec`` line in README and guides names a command and options that the command has."""
    top = typer.main.get_command(app)
    lines = [
        line.strip()
        for page in [ROOT / "README.md", *(ROOT / "docs" / "how-to").glob("*.md")]
        for block in BLOCK.findall(page.read_text(encoding="utf-8"))
        for line in block.splitlines()
        if line.strip().startswith("ec ")
    ]
    assert lines
    for line in lines:
        command, words = top, shlex.split(line)[1:]
        while hasattr(command, "get_command"):
            found = command.get_command(click.Context(command), words.pop(0))
            assert found is not None, line
            command = found
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known, line
