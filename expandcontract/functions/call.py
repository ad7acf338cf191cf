"""Calls a function for rows, and judges what it gave. Runs wherever the function does."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = dict[str, Any]
Given = list[Row | None]
BLAME_S = 5.0
"""How long is spent on finding out which row it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why there is no result.

    Attributes:
        said: What went wrong, without a value that was read.
        row: The number of the row that it is about; ``None`` where it is about all of them.
    """

    said: str
    row: int | None = None


def call(function: Callable[[list[Row]], Any], rows: Sequence[Row], writes: Sequence[str]) -> Given | Fault:
    """What the function gives for rows, one result a row; or why it gives nothing that can be written.

    Args:
        function: Gets copies of the rows.
        rows: Each with its key and what is read.
        writes: The columns that each result must have, neither more nor fewer.
    """
    try:
        given = function([dict(row) for row in rows])
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - whatever it is, it is told
        return _blamed(function, rows, exc)
    if not isinstance(given, list | tuple):
        return Fault(said=f"gave a {type(given).__name__}, not a list")
    if len(given) != len(rows):
        return Fault(said=f"gave {len(given)} results for {len(rows)} rows; each row needs one, in the same order")
    for number, result in enumerate(given):
        wrong = _wrong(result, writes)
        if wrong:
            return Fault(said=wrong, row=number)
    return [None if result is None else {name: result[name] for name in writes} for result in given]


def _wrong(result: object, writes: Sequence[str]) -> str:
    if result is None:
        return ""
    if not isinstance(result, Mapping):
        return f"gave a {type(result).__name__}, neither a dictionary nor None"
    if set(result) != set(writes):
        gave = ", ".join(sorted(map(str, result))) or "nothing"
        return f"gave {gave}, and is declared to write {', '.join(writes)}"
    return ""


def _blamed(function: Callable[[list[Row]], Any], rows: Sequence[Row], exc: BaseException) -> Fault:
    """The first row that it fails on alone, and in the same way; no row where it fails only on them together."""
    began = monotonic()
    for number, row in enumerate(rows):
        try:
            function([dict(row)])
        except (Exception, SystemExit) as alone:  # noqa: BLE001
            if type(alone) is type(exc):
                return Fault(said=_told(alone), row=number)
        if monotonic() - began > BLAME_S:
            break
    return Fault(said=_told(exc))


def _told(exc: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(exc.__traceback__) if frame.filename != __file__]
    at = f" (line {frames[-1].lineno} of {frames[-1].filename})" if frames else ""
    return f"raised {type(exc).__name__}: {exc}{at}"
