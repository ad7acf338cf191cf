"""Every ``ec`` command that a message, a rule's fix or a page advises is one that the command line takes."""

from __future__ import annotations

import ast
import re
import shlex
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest
import typer

from expandcontract.cli.main import app, hoist
from expandcontract.core.phase import Move
from expandcontract.lint.judge import judge
from expandcontract.lint.rule import Rule, rules
from tests.fix_revisions import with_effects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_revisions import Written

ROOT = Path(__file__).parents[3]
SOURCES = [path for ending in ("py", "sql") for path in sorted((ROOT / "expandcontract").rglob(f"*.{ending}"))]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ADVICE = re.compile(r"\bec ([a-z]+)\b(?!::)(?: [^\n`;,()]*)?")
VERBS = {"and", "as", "asks", "cannot", "knows", "makes", "runs", "set", "the", "watch", "wrote"}
"""What follows ``ec`` where a sentence speaks of it."""
COLORS = {"COLOR": "blue"}
GAP = "gap"
ARGUMENT = re.compile(rf"{GAP}|[A-Z=_]+|--[a-z-]+|{'|'.join(Move)}|blue|green|v\d|[a-z]+_[a-z_]+")
"""A word of a command line, not of the sentence around it."""


def takes(words: list[str]) -> str:
    """Why the command line does not take these words; empty where it does. Nothing is run."""
    command: Any = typer.main.get_command(app)
    rest = hoist([COLORS.get(word, word) for word in words])
    try:
        while hasattr(command, "get_command"):
            found = command.get_command(click.Context(command), rest.pop(0)) if rest else None
            if found is None:
                return "there is no such command"
            command = found
        command.make_context("ec", rest)
    except Exception as exc:
        if not hasattr(exc, "exit_code"):  # Typer brings a click of its own
            raise
        return "" if exc.exit_code == 0 else getattr(exc, "message", "") or type(exc).__name__
    return ""


def known(words: list[str]) -> Any:
    """The command that the words begin with; ``None`` where there is none."""
    command: Any = typer.main.get_command(app)
    for word in words:
        command = command.get_command(click.Context(command), word)
        if command is None or not hasattr(command, "get_command"):
            break
    return command


def arguments(words: list[str]) -> list[str]:
    """The words that belong to the command line, and not to the sentence around it."""
    return [
        word
        for word, _ in takewhile(
            lambda two: ARGUMENT.fullmatch(two[0]) or two[1].startswith("--"), zip(words, ["", *words], strict=False)
        )
    ]


def wrong(text: str) -> Iterator[str]:
    """The advice in a text that the command line does not take: its command, its flags, or its arguments.

    A command that is only spoken of may stand alone.
    """
    for found in ADVICE.finditer(text):
        said = re.sub(r"\{\w*\}", GAP, found[0]).replace("[", "").replace("]", "").replace("…", " … ")
        words = [word.strip(".:'\"") for word in said.split()[1:]]
        name = words[: 2 if words[0] == "new" else 1]
        if {*name} & {*VERBS, GAP, "…"}:
            continue
        command, given = known(name), arguments(words[len(name) :])
        flags = {word.partition("=")[0] for word in words if word.startswith("--")}
        options = {flag for parameter in getattr(command, "params", ()) for flag in parameter.opts} | {"--help"}
        partial = all(word.startswith("--") for word in given) or {"…", "or"} & {*words}
        if command is None or flags - options or (not partial and takes([*name, *given])):
            yield found[0]


def _text(node: ast.expr) -> str:
    """A string as it reads, with a word for each value put in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else ""


def strings(path: Path) -> Iterator[str]:
    """The strings of a source but its docstrings; of SQL, its literals, a value behind one told apart."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".sql":
        joined = re.sub(r"' \|\| \w+", f"{GAP}'", source).replace("%s", GAP)
        yield from (found.replace("''", "'") for found in re.findall(r"'((?:[^']|'')*)'", joined))
        return
    tree = ast.parse(source)
    whole = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner = {id(part) for node in whole for part in node.values} | said
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and id(node) not in inner:
            yield _text(node)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_messages_advise_can_be_typed(path: Path) -> None:
    """Each ``ec …`` in a message or hint begins with a command, its arguments and flags."""
    assert [] == [advice for text in strings(path) for advice in wrong(text)]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_pages_show_can_be_typed(page: Path) -> None:
    """Each line of an example, and each ``ec …`` within a sentence, is taken as it stands."""
    text = page.read_text(encoding="utf-8")
    shown = re.findall(r"`(ec [^`\n]+)`", text)
    assert [] == [advice for found in shown for advice in wrong(found)]


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: f"{rule.code}-{rule.name}")
def test_a_rules_fix_can_be_typed(rule: Rule, written: Written) -> None:
    """A line of a fix that is a command is taken word by word."""
    report = judge([with_effects(written.record(rule.bad.half, rule.bad.source))])
    lines = [line.strip() for finding in report.findings for line in finding.fix.splitlines()]
    commands = [line for line in lines if line.startswith("ec ") and "…" not in line]
    assert [] == [(line, why) for line in commands if (why := takes(shlex.split(line)[1:]))]
    assert [] == [advice for line in lines for advice in wrong(line)]


def test_what_cannot_be_typed_is_found() -> None:
    """The test itself sees an unknown command, recipe or flag, and an argument that is missing."""
    good = [
        "ec status",
        "ec new rename-column users a b",
        "ec advance x --by database, then wait",
        "ec new sql …",
    ]
    bad = ["ec stat", "ec new rename users", "ec advance x --force", "ec new rename-column TABLE OLD"]
    assert [] == [advice for text in good for advice in wrong(text)]
    assert bad == [advice for text in bad for advice in wrong(text)]
