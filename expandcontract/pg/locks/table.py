"""The measured lock table, as it ships: what each form does, by roles, for each major version of PostgreSQL."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from expandcontract.core.effect import Effect, Lock, LockMode, strongest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from expandcontract.pg.locks.world import Name

MEASURED = (15, 16, 18)
UNTOLD: Name = ("?", "?")
"""Stands for a relation that a statement concerns and that cannot be told from what is known."""

MODES = {str(mode): mode for mode in LockMode}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a form does on one kind of table; ``refused`` is PostgreSQL's reason where it does nothing."""

    locks: Mapping[str, LockMode] = field(default_factory=dict)
    rewrites: frozenset[str] = frozenset()
    scans: frozenset[str] = frozenset()
    transactional: bool = True
    refused: str = ""

    def joined(self, other: Entry) -> Entry:
        """Both: what another case of the same form adds."""
        if self.refused or other.refused:
            return other if self.refused else self
        locks = dict(self.locks)
        for part, mode in other.locks.items():
            locks[part] = max(mode, locks.get(part, mode))
        return Entry(
            locks=locks,
            rewrites=self.rewrites | other.rewrites,
            scans=self.scans | other.scans,
            transactional=self.transactional and other.transactional,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A form, and the relations that play its parts.

    Attributes:
        form: As the table names it.
        roles: The relations of each role; a role that is missing has none.
        kind: Which kind of table it is done to: ``plain``, ``partitioned`` or ``inherited``.
        assumed: Whether a fact was not known.
        refused: Why PostgreSQL will not do it, where the facts say so.
    """

    form: str
    roles: Mapping[str, tuple[Name, ...]] = field(default_factory=dict)
    kind: str = "plain"
    assumed: bool = False
    refused: str = ""


Forms = dict[str, dict[str, Entry]]


def data(major: int) -> dict[str, Any]:
    """The file of one major version.

    Raises:
        FileNotFoundError: It was not measured.
    """
    place = files("expandcontract.pg.locks").joinpath("data", f"{major}.json")
    found: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
    return found


def nearest(major: int) -> tuple[int, ...]:
    """The measured versions that stand for this one: itself, or its neighbours on either side."""
    if major in MEASURED:
        return (major,)
    below = [known for known in MEASURED if known < major]
    above = [known for known in MEASURED if known > major]
    return (*below[-1:], *above[:1])


@cache
def forms(major: int) -> Forms:
    """What each form does on a measured version, its cases joined."""
    found: Forms = {}
    for key, kinds in data(major)["forms"].items():
        entries = found.setdefault(key.partition(": ")[0], {})
        for kind, raw in kinds.items():
            entry = _entry(raw)
            entries[kind] = entries[kind].joined(entry) if kind in entries else entry
    return found


def _entry(raw: dict[str, Any]) -> Entry:
    if "refused" in raw:
        return Entry(refused=raw["refused"])
    return Entry(
        locks={part: MODES[mode] for part, mode in raw["locks"].items()},
        rewrites=frozenset(raw["rewrites"]),
        scans=frozenset(raw["scans"]),
        transactional=raw["transactional"],
    )


def effect(statement: str, piece: Piece, major: int, stored: Callable[[Name], bool]) -> Effect:
    """What a piece of a statement does on one version.

    Args:
        statement: The SQL that it is a piece of.
        piece: Form and relations.
        major: A measured version.
        stored: Whether a relation has rows of its own.
    """
    kinds = forms(major).get(piece.form)
    if kinds is None:
        return Effect(statement=statement)
    entry = kinds.get(piece.kind)
    assumed = piece.assumed
    if entry is None:
        entry, assumed = _spread(kinds["plain"]), True
    roles = piece.roles

    def names(parts: frozenset[str]) -> frozenset[str]:
        return frozenset(dotted(name) for part in parts for name in roles.get(part, ()) if stored(name))

    return Effect(
        statement=statement,
        form=piece.form,
        locks=strongest(
            Lock(relation=dotted(name), mode=mode) for part, mode in entry.locks.items() for name in roles.get(part, ())
        ),
        rewrites=names(entry.rewrites),
        scans=names(entry.scans),
        transactional=entry.transactional,
        assumed=assumed,
        refused=piece.refused or _reason(entry.refused, roles),
    )


def dotted(name: Name) -> str:
    """``schema.name``; ``?`` for a relation that cannot be told."""
    return "?" if name == UNTOLD else ".".join(name)


def _spread(entry: Entry) -> Entry:
    """A form that was not measured on a family of tables, taken to do to each what it does to one."""
    if "table" not in entry.locks:
        return entry
    return Entry(
        locks={**entry.locks, "leaf": entry.locks["table"]},
        rewrites=entry.rewrites | {"leaf"} if "table" in entry.rewrites else entry.rewrites,
        scans=entry.scans | {"leaf"} if "table" in entry.scans else entry.scans,
        transactional=entry.transactional,
        refused=entry.refused,
    )


def _reason(said: str, roles: Mapping[str, tuple[Name, ...]]) -> str:
    for measured, part in (("a", "table"), ("b", "other"), ("a_ix", "index")):
        if roles.get(part):
            said = said.replace(f'"{measured}"', f'"{roles[part][0][1]}"')
    return said
