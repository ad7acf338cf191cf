"""A share of somebody else's backfill: workers that need the database and nothing of the project."""

from __future__ import annotations

from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from expandcontract.backfill.fill import join
from expandcontract.backfill.job import job
from expandcontract.core.phase import Move
from expandcontract.errors import FencedError, RefusedError
from expandcontract.ledger import Ledger
from expandcontract.ledger.segments import Segments
from expandcontract.pg.connect import connect, hot
from expandcontract.runner.events import Event
from expandcontract.runner.filling import how, progress
from expandcontract.runner.functions import importable
from expandcontract.runner.holding import Holding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from expandcontract.core.change import ChangeState
    from expandcontract.runner.place import Place

ASK_S = 0.5
"""How often the ledger is asked whether there is work."""


def work(place: Place, name: str, *, workers: int | None, wait: timedelta | None) -> Iterator[Event]:
    """Fill segments of a backfill that a mover has begun, until none is left; holds no mover lock.

    A mover that comes after the one that began fences these workers once; they go on under it.

    Args:
        place: Where the database is.
        name: The change.
        workers: Threads; ``None``: as many as are set.
        wait: How long to wait for the backfill to begin; ``None``: not at all.

    Yields:
        Progress, and a last event that says what was done.

    Raises:
        RefusedError: No backfill of the change is under way.
        MappingError: A Python function fills the rows, and cannot be imported here.
        UnknownNameError: There is no such change.
    """
    _await_begin(place, name, wait)
    rows, began = 0, monotonic()
    while (found := _under_way(place, name)) is not None:
        try:
            for event in _share(place, *found, workers):
                rows += int(str(event.data.get("mine", 0)))
                yield event
        except FencedError:
            continue
        break
    seconds = monotonic() - began
    text = f"nothing is left to fill of {name}; {rows:,} rows were filled here"
    yield Event(kind="finished", text=text, change=name, data={"rows": rows, "seconds": seconds})


def _await_begin(place: Place, name: str, wait: timedelta | None) -> None:
    policy = Retrying(
        retry=retry_if_result(lambda found: found is None),
        stop=stop_after_delay(0 if wait is None else wait.total_seconds()),
        wait=wait_fixed(ASK_S),
        retry_error_callback=lambda _state: None,
    )
    if policy(_under_way, place, name) is None:
        msg = f"no backfill of {name} is under way"
        raise RefusedError(msg, hint=f"ec backfill {name} begins it; ec work {name} --wait 10m waits for that")


def _under_way(place: Place, name: str) -> tuple[ChangeState, int] | None:
    """The change and the mover's epoch, where its segments are cut and its backfill has not ended."""
    with connect(place.url, command=f"work {name}") as connection:
        ledger = Ledger(connection, window=place.settings.window.length)
        change, epoch = ledger.change(name), ledger.installation().epoch
    if change.in_flight is None or change.in_flight.move is not Move.BACKFILL:
        return None
    with hot(place.url, command=f"work {name}") as hot_connection:
        return (change, epoch) if Segments(hot_connection, name).begun() else None


def _share(place: Place, change: ChangeState, epoch: int, workers: int | None) -> Iterator[Event]:
    importable(place, change.shape)
    asked = how(place.settings)
    holding = Holding()
    asked = asked if workers is None else replace(asked, workers=workers)
    for item in change.shape.work:
        todo = job(place.url, change.name, item, asked)
        mine = 0
        with hot(place.url, command=f"backfill {change.name}") as connection:
            segments = Segments(connection, change.name)
            if not segments.totals(todo.relations).open:
                continue
            for at in join(segments, todo, epoch):
                yield from holding.events(at)
                event = progress(at)
                done = sum(lane.rows for lane in at.lanes)
                event.data["mine"], mine = done - mine, done
                yield event
