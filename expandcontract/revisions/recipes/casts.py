"""The casts that a change of type may take by itself: immutable, and a value comes back as it was or is told.

What is not here is asked for with ``--using`` and ``--reverse``: it depends on settings (``timestamptz`` to
``timestamp``), cuts values off (``text`` to ``varchar(20)``), or has no cast at all.
https://www.postgresql.org/docs/current/sql-createcast.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INTEGERS = ("smallint", "integer", "bigint")
TEXTS = ("text", "character varying")
SPELLED_OUT = ("uuid", "boolean", "json", "jsonb", "numeric", *INTEGERS)


def _pairs() -> Iterator[tuple[str, str]]:
    for one in INTEGERS:
        yield from ((one, other) for other in (*INTEGERS, "numeric") if other != one)
    yield from (("numeric", "bigint"), ("json", "jsonb"), ("boolean", "integer"), ("real", "double precision"))
    yield from (("date", "timestamp without time zone"), ("text", "character varying"), ("cidr", "inet"))
    yield from ((one, other) for one in SPELLED_OUT for other in TEXTS)


SAFE = frozenset(pair for one, other in _pairs() for pair in ((one, other), (other, one)))
WIDER = frozenset(
    {(one, "numeric") for one in INTEGERS}
    | {(one, other) for one in SPELLED_OUT for other in TEXTS}
    | {("date", "timestamp without time zone"), ("real", "double precision")}
)
"""Where the new type has values that come back as others: ``1.5`` from an integer, ``007`` from a text."""

SIZED = re.compile(r"(character varying|numeric)\((\d+)(?:,(\d+))?\)")


def safe(old: str, new: str) -> bool:
    """Whether both casts are known to be immutable, and every value of ``old`` that can be cast comes back."""
    if not _holds(old, new):
        return False
    one, other = _base(old), _base(new)
    return one == other or (one, other) in SAFE


def wider(old: str, new: str) -> bool:
    """Whether ``new`` has values that the cast back changes without an error."""
    return (_base(old), _base(new)) in WIDER


def _base(name: str) -> str:
    return re.sub(r"\(.*\)$", "", name)


def _holds(old: str, new: str) -> bool:
    """Whether the length or precision of ``new`` cuts nothing off."""
    limit = SIZED.fullmatch(new)
    if limit is None:
        return _base(new) in {"text", *INTEGERS} or "(" not in new
    given = SIZED.fullmatch(old)
    if given is None or given[1] != limit[1]:
        return False
    scale, wanted = int(given[3] or 0), int(limit[3] or 0)
    return wanted >= scale and int(limit[2]) - wanted >= int(given[2]) - scale
