"""Comparing on request: once, with repair while the old shape is the authority, or again and again while both live."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from expandcontract.backfill.comparison import NAMED
from expandcontract.core.phase import Kind, Move, Phase
from expandcontract.errors import BackfillError, UsageError
from expandcontract.ledger import Ledger
from expandcontract.pg.connect import connect
from expandcontract.runner import rows
from expandcontract.runner.events import Event
from expandcontract.runner.mover import mover
from expandcontract.runner.observe import known

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from datetime import datetime, timedelta

    from expandcontract.core.change import ChangeState
    from expandcontract.runner.place import Place

SHOWN = 3
"""How many of the rows stand in the line of a pass."""


def verify(place: Place, name: str) -> Iterator[Event]:
    """Compare every row, and before cut-over repair the new shape from the old one.

    Raises:
        UsageError: The change has no two shapes now.
    """
    change, _ = _looked(place, name)
    if not comparable(change):
        raise _nothing(change)
    if change.phase in {Phase.DUAL_WRITING, Phase.BACKFILLED}:
        flight = change.in_flight
        steered = flight is not None and flight.move is Move.BACKFILL
        with mover(place.url, f"verify {name}", place.settings.window.length) as m:
            yield from rows.compare(place, m, change, repair=True, steered=steered)
    else:
        yield from rows.compare(place, None, change, repair=False)


def watch(place: Place, name: str, every: timedelta) -> Iterator[Event]:
    """Count again and again while the change has both shapes; repairs nothing and holds no mover lock.

    Args:
        place: Where.
        name: The change.
        every: How long to rest between two passes.

    Yields:
        A ``step`` a pass, with when it ended by the database's clock, how many rows differ and the first 20 of them;
        a ``finished`` once there are no two shapes any more.

    Raises:
        UsageError: The change has no two shapes at the beginning.
    """
    change, now = _looked(place, name)
    if not comparable(change):
        raise _nothing(change)
    passes = bad = 0
    while comparable(change):
        try:
            found = yield from _one_pass(place, change)
        except BackfillError:  # a contract in the middle of a pass takes the columns away
            change, now = _looked(place, name)
            if comparable(change):
                raise
            break
        change, now = _looked(place, name)
        passes, bad = passes + 1, bad + bool(found["differing"])
        text = f"{now:%Y-%m-%d %H:%M:%S %Z}  {_line(found)}"
        yield Event(kind="step", text=text, change=name, data={"pass": passes, "at": now.isoformat(), **found})
        if comparable(change):
            time.sleep(every.total_seconds())
            change, now = _looked(place, name)
    text = f"{name} is {change.phase} by now; rows differed in {bad} of {passes} passes"
    yield Event(kind="finished", text=text, change=name, data={"passes": passes, "passes_differing": bad})


def comparable(change: ChangeState) -> bool:
    """Whether there are two shapes, or a rule to come, that rows can be held against."""
    return change.open and bool(change.shape.work or change.kind is Kind.TIGHTENED)


def _nothing(change: ChangeState) -> UsageError:
    msg = f"{change.name} is {change.phase}; there are no two shapes to compare"
    return UsageError(msg, hint=f"ec status {change.name}")


def _looked(place: Place, name: str) -> tuple[ChangeState, datetime]:
    with connect(place.url, command="verify") as connection:
        ledger = Ledger(connection, window=place.settings.window.length)
        return known(place, ledger, name), ledger.now()


def _one_pass(place: Place, change: ChangeState) -> Generator[Event, None, dict[str, object]]:
    """One comparison of all tables and rules; its own lines are summed up in what is returned."""
    differing, first = 0, []
    for event in rows.compare(place, None, change, repair=False):
        if event.kind != "step" or "differing" not in event.data:
            yield event
            continue
        differing += int(str(event.data["differing"]))
        first += event.data["rows"] if isinstance(event.data["rows"], list) else []
    return {"differing": differing, "rows": first[:NAMED]}


def _line(found: dict[str, object]) -> str:
    named, differing = found["rows"], found["differing"]
    assert isinstance(named, list)  # noqa: S101  # as made above
    if not differing:
        return "no row differs"
    first = ", ".join([*named[:SHOWN], *(["…"] if len(named) > SHOWN else [])])
    return f"1 row differs: {first}" if differing == 1 else f"{differing} rows differ: {first}"
