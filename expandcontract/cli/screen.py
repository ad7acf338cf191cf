"""Where answers go: a terminal gets colors and tables, anything else plain lines that are never wrapped or cut."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from rich.console import Console


def emit(document: Mapping[str, object] | Sequence[object]) -> None:
    """Print the one document of ``--json``."""
    sys.stdout.write(json.dumps(document, indent=2, default=str, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def in_line(document: Mapping[str, object]) -> str:
    """One document of many, on a line of its own."""
    return json.dumps(document, default=str, ensure_ascii=False)


class Screen(Protocol):
    """What the ``show_*`` files write to."""

    def line(self, text: str = "", style: str = "") -> None:
        """Write one line."""

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write rows under their heads."""


class Plain:
    """Plain lines; columns are padded with spaces."""

    def __init__(self, file: Any = None) -> None:
        self.file = file or sys.stdout

    def line(self, text: str = "", style: str = "") -> None:
        """Write one line, without its style."""
        del style
        self.file.write(text.rstrip() + "\n")
        self.file.flush()

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write rows under their heads, as wide as their widest cell."""
        lines = [list(heads), *(list(row) for row in rows)]
        widths = [max(len(line[at]) for line in lines) for at in range(len(heads))]
        for line in lines:
            self.line("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)))


class Terminal:
    """A terminal, through Rich."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def line(self, text: str = "", style: str = "") -> None:
        """Write one line in ``style``."""
        self.console.print(text, style=style or None, markup=False, highlight=False, soft_wrap=True)

    def table(self, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """Write a table; long cells are folded, never cut."""
        from rich.table import Table  # noqa: PLC0415 - only terminals need Rich
        from rich.text import Text  # noqa: PLC0415

        table = Table(box=None, pad_edge=False, header_style="bold")
        for head in heads:
            table.add_column(head, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self.console.print(table)


def is_terminal(file: Any) -> bool:
    """Whether a person watches ``file``."""
    return bool(file.isatty()) and os.environ.get("TERM") != "dumb"


def screen(*, errors: bool = False) -> Screen:
    """The screen on standard output, or on standard error."""
    file = sys.stderr if errors else sys.stdout
    if not is_terminal(file):
        return Plain(file)
    from rich.console import Console  # noqa: PLC0415 - only terminals need Rich

    return Terminal(Console(file=file))
