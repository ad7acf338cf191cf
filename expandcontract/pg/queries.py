"""Reads files of named SQL queries: ``-- name: snake_case`` on a line, then the query, up to the next name."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

NAME = re.compile(r"^-- name: ([a-z][a-z0-9_]*)$", re.MULTILINE)


@cache
def load(package: str, filename: str) -> dict[str, str]:
    """The queries of ``filename`` in ``package``, by name, without their closing semicolons."""
    parts = NAME.split(files(package).joinpath(filename).read_text(encoding="utf-8"))
    return {name: body.strip().removesuffix(";") for name, body in zip(parts[1::2], parts[2::2], strict=True)}
