"""What was foretold beside what was seen: the statements of a move, and where the two differ. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from expandcontract.core.effect import QUERIES, Effect, Lock, LockMode, differences, together

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

FUNCTION = re.compile(r"SELECT (expandcontract\.\w+)\(")
NOT_RUN = "it is in the plan and was not run"
NOT_PLANNED = "it was run and is not in the plan"
UNKNOWN = "the plan did not know its locks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One statement as it really ran.

    Attributes:
        effect: What it did.
        held: The locks that its transaction had before.
        took: How long it ran.
        kept: From its begin, when its locks are had, until its transaction's end, when they go.
        parts: The text of each of its statements, where several were sent at once.
        of_rows: Whether it only reads or writes rows.
    """

    effect: Effect
    held: tuple[Lock, ...] = ()
    took: timedelta
    kept: timedelta
    parts: tuple[str, ...]
    of_rows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A statement of a move.

    Attributes:
        statement: The SQL.
        foretold: What the plan said; ``None`` where it said nothing.
        ran: What was seen; ``None`` where it was not run.
        differences: Where the two differ, in words.
    """

    statement: str
    foretold: Effect | None
    ran: Ran | None
    differences: tuple[str, ...] = ()


def key(sql: str) -> str:
    """What a statement is known by, whether it was written into a script or sent with its values apart."""
    lines = [line for line in sql.replace("%%", "%").splitlines() if not line.lstrip().startswith("--")]
    text = " ".join(" ".join(lines).split()).rstrip("; ")
    found = FUNCTION.match(text)
    return found[1] if found else text


def compared(plan: Sequence[Effect] | None, ran: Sequence[Ran]) -> tuple[Line, ...]:
    """The statements of a move, in the order in which they ran; what was planned and not run comes last.

    Statements that only read or write rows and lock nothing that matters are told only where the plan has them: a
    move keeps its books as well.

    Args:
        plan: What was foretold; ``None`` where nothing was, as of the way back.
        ran: What was seen.
    """
    waiting = list(plan or ())
    lines: list[Line] = []
    for seen in ran:
        found = _taken(waiting, seen)
        if found is None and seen.of_rows and _light(seen.effect):
            continue
        lines.append(_line(found, seen, foretelling=plan is not None))
    missing = [effect for effect in waiting if not (_of_rows(effect) and _light(effect))]
    lines += [Line(statement=e.statement, foretold=e, ran=None, differences=(NOT_RUN,)) for e in missing]
    return tuple(lines)


def _taken(waiting: list[Effect], seen: Ran) -> Effect | None:
    """What was foretold of a statement, taken out of what is still waited for."""
    found: list[Effect] = []
    left = list(waiting)
    for part in seen.parts:
        known = next((effect for effect in left if key(effect.statement) == key(part)), None)
        if known is None:
            return None
        left.remove(known)
        found.append(known)
    waiting[:] = left
    return found[0] if len(found) == 1 else together(seen.effect.statement, found)


def _line(foretold: Effect | None, seen: Ran, *, foretelling: bool) -> Line:
    if foretold is None:
        strange = (NOT_PLANNED,) if foretelling else ()
        return Line(statement=seen.effect.statement, foretold=None, ran=seen, differences=strange)
    unknown = () if foretold.known else (UNKNOWN,)
    differing = differences(foretold, seen.effect, held=seen.held)
    return Line(statement=foretold.statement, foretold=foretold, ran=seen, differences=(*unknown, *differing))


def _of_rows(effect: Effect) -> bool:
    return QUERIES.issuperset(effect.form.split(" + "))


def _light(effect: Effect) -> bool:
    heavy = effect.strongest is not None and effect.strongest > LockMode.ROW_EXCLUSIVE
    return not (heavy or effect.rewrites or effect.scans)
