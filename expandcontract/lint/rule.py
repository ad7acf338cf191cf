"""What a rule is, and where the rules are found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from expandcontract.core.revision import Half, Revision
    from expandcontract.lint.finding import Hit, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Functions of a revision, as a developer writes them.

    Attributes:
        half: Which half of the pair they stand in; ``None`` for an ordinary revision. The pair renames
            ``users.full_name`` to ``display_name``.
        source: The functions.
    """

    half: Half | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that a revision should not do.

    Attributes:
        code: ``EC204``; never reused.
        name: In kebab-case, as its page and messages name it.
        severity: How much its hits weigh where they do not say otherwise.
        summary: What it finds, in one line.
        why: What happens on a live database, in a few sentences.
        check: Gives the places where it applies.
        bad: A revision with at least one hit.
        good: The same intent without any finding.
        yields_to: Codes of rules whose finding on the same line already says it.
        covers: Rules of squawk that say the same of a statement.
        last: Whether it judges the comments that pass over findings, and so runs after all others.
    """

    code: str
    name: str
    severity: Severity
    summary: str
    why: str
    check: Callable[[Revision], Iterable[Hit]]
    bad: Example
    good: Example
    yields_to: frozenset[str] = frozenset()
    covers: frozenset[str] = frozenset()
    last: bool = False


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by code: the ``RULE`` of each file in ``expandcontract.lint.rules``."""
    package = import_module("expandcontract.lint.rules")
    modules = (import_module(f"{package.__name__}.{found.name}") for found in iter_modules(package.__path__))
    return tuple(sorted((module.RULE for module in modules), key=lambda rule: str(rule.code)))
