"""A place in a statement's words, with the few questions that reading DDL asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.mapping import Table
from expandcontract.pg.words import Word, words

if TYPE_CHECKING:
    from collections.abc import Collection

OPEN, CLOSE = {"(", "["}, {")", "]"}


class Cursor:
    """Reads words from left to right.

    Args:
        text: The statement, or the words of a part of it.
    """

    def __init__(self, text: str | list[Word]) -> None:
        self.words = words(text) if isinstance(text, str) else text
        self.at = 0

    @property
    def done(self) -> bool:
        """Whether no word is left."""
        return self.at >= len(self.words)

    @property
    def peek(self) -> str:
        """The next word where it is no quoted name or string; else empty."""
        return "" if self.done or self.words[self.at].kind in {"name", "string"} else self.words[self.at].value

    def accept(self, *wanted: str) -> bool:
        """Step over these words if they come next."""
        there = self.words[self.at : self.at + len(wanted)]
        same = [word.value for word in there if word.kind not in {"name", "string"}] == list(wanted)
        self.at += len(wanted) if same else 0
        return same

    def any_of(self, *wanted: str) -> str:
        """Step over the next word if it is one of these, and say which; else empty."""
        found = self.peek if self.peek in wanted else ""
        self.at += 1 if found else 0
        return found

    def name(self) -> str:
        """The next name, quoted or not; empty where there is none."""
        if self.done or self.words[self.at].kind not in {"name", "word"}:
            return ""
        self.at += 1
        return self.words[self.at - 1].value

    def table(self) -> Table | None:
        """The next ``name`` or ``schema.name``; a third name in front, the database, is left out."""
        names = [self.name()]
        while names[-1] and self.accept("."):
            names.append(self.name())
        self.accept("*")
        return Table(schema=names[-2] if len(names) > 1 else "public", name=names[-1]) if names[-1] else None

    def names(self) -> tuple[str, ...]:
        """The names at the start of each item of ``(a, b …)``."""
        return tuple(name for part in Cursor(self.inside()).parts() if (name := Cursor(part).name()))

    def inside(self) -> list[Word]:
        """The words between the parentheses that come next, which are stepped over; none where none come."""
        if self.peek != "(":
            return []
        begin, depth = self.at + 1, 0
        while not self.done:
            depth += 1 if self.peek in OPEN else -1 if self.peek in CLOSE else 0
            self.at += 1
            if not depth:
                break
        return self.words[begin : self.at - 1]

    def parts(self) -> list[list[Word]]:
        """What is left, cut at its commas outside parentheses."""
        found: list[list[Word]] = [[]]
        depth = 0
        for word in self.words[self.at :]:
            mark = word.value if word.kind == "mark" else ""
            depth += 1 if mark in OPEN else -1 if mark in CLOSE else 0
            if mark == "," and not depth:
                found.append([])
            else:
                found[-1].append(word)
        return [part for part in found if part]

    def until(self, stops: Collection[str]) -> list[Word]:
        """The words before the first of ``stops`` outside parentheses; steps to it, or to the end."""
        begin, depth = self.at, 0
        while not self.done and (depth or self.peek not in stops):
            depth += 1 if self.peek in OPEN else -1 if self.peek in CLOSE else 0
            self.at += 1
        return self.words[begin : self.at]

    def seek(self, *wanted: str) -> bool:
        """Step past the next place outside parentheses where these words come; stays where there is none."""
        begin = self.at
        while not self.done:
            self.until({wanted[0]})
            if self.accept(*wanted):
                return True
            self.at += 1
        self.at = begin
        return False


def spelled(found: list[Word]) -> str:
    """Words as text, for messages and comparisons: ``varchar(30)``, ``numeric(10,2)``."""
    text = ""
    for word in found:
        tight = word.value in {"(", ")", ",", ".", "[", "]", "::"} or text.endswith(("(", ",", ".", "[", "::"))
        shown = f"'{word.value}'" if word.kind == "string" else word.value
        text += shown if tight or not text else f" {shown}"
    return text
