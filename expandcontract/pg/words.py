"""SQL as words: strings, quoted names and comments told apart, so that statements can be split and read.

https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

WORD = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
    |(?P<comment>/\*)
    |(?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$)
    |(?P<string>[eE]'(?:[^'\\]|\\.|'')*'|[bBxXnN]?'(?:[^']|'')*')
    |(?P<name>(?:[uU]&)?"(?:[^"]|"")*")
    |(?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
    |(?P<number>\d[\w.]*)
    |(?P<mark>::|.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a statement.

    Attributes:
        kind: ``word``, ``name`` (quoted), ``string``, ``number`` or ``mark``.
        value: A word in lower case, a quoted name or string without its quotes, anything else as written.
        start: Where it begins in the text.
        end: Where it ends.
    """

    kind: str
    value: str
    start: int
    end: int


def words(sql: str) -> list[Word]:
    """The words of ``sql``, comments and white space left out."""
    return list(_words(sql))


def _words(sql: str) -> Iterator[Word]:
    at = 0
    while found := WORD.match(sql, at):
        kind, text, at = str(found.lastgroup), found[0], found.end()
        if kind == "comment":
            at = _past_comment(sql, at)
        elif kind == "dollar":
            end = sql.find(text, at)
            end = len(sql) if end < 0 else end
            yield Word("string", sql[at:end], found.start(), end + len(text))
            at = end + len(text)
        elif kind != "space":
            yield Word(kind, _value(kind, text), found.start(), at)


def _past_comment(sql: str, at: int) -> int:
    depth = 1
    while depth:
        found = re.compile(r"/\*|\*/").search(sql, at)
        if found is None:
            return len(sql)
        depth += 1 if found[0] == "/*" else -1
        at = found.end()
    return at


def _value(kind: str, text: str) -> str:
    if kind == "word":
        return text.lower()
    if kind == "name":
        return text[text.index('"') + 1 : -1].replace('""', '"')
    return text[text.index("'") + 1 : -1].replace("''", "'") if kind == "string" else text


def split(sql: str) -> list[str]:
    """The statements of ``sql``, each without its semicolon; bodies of functions stay whole."""
    found, begin, depth, before = [], 0, 0, ""
    for word in words(sql):
        if word.kind == "word":
            if (word.value == "atomic" and before == "begin") or (depth and word.value == "case"):
                depth += 1
            elif depth and word.value == "end":
                depth -= 1
        elif word.kind == "mark" and word.value == ";" and not depth:
            found.append(sql[begin : word.start])
            begin = word.end
        before = word.value
    found.append(sql[begin:])
    return [part.strip() for part in found if words(part)]
