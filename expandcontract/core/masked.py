"""A query without its values: what may be shown of somebody else's statement.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-CONSTANTS
"""

from __future__ import annotations

import re

LONGEST = 200  # characters
TOKEN = re.compile(
    r"""
    (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
  | (?P<escaped>\b[eE]'(?:[^'\\]|''|\\.)*(?:'|\\?\Z))
  | (?P<text>(?:\b(?:[bBxXnN]|[uU]&))?'(?:[^']|'')*(?:'|\Z))
  | (?P<dollar>(?<![\w$])\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
  | (?P<name>"(?:[^"]|"")*(?:"|\Z))
  | (?P<word>[^\W\d][\w$]*)
  | (?P<parameter>\$\d+)
  | (?P<number>(?:0[xXoObB][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?))
    """,
    re.VERBOSE | re.DOTALL,
)


def masked(query: str) -> str:
    """``query`` on one line, its literals replaced by ``?`` and its comments left out; long ones are cut."""
    line = " ".join(TOKEN.sub(_without, query).split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def _without(found: re.Match[str]) -> str:
    if found.lastgroup == "comment":
        return " "
    kept = found["name"] or found["word"] or found["parameter"]
    return kept or "?"
