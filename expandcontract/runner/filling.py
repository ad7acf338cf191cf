"""Filling rows as the settings say, and telling how far it is. Loads nothing of a project: ``ec work`` has none."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from expandcontract.backfill.fill import Progress, cut, join
from expandcontract.backfill.job import How
from expandcontract.core.pace import Pace
from expandcontract.ledger.segments import Segments
from expandcontract.pg.connect import hot
from expandcontract.runner.events import Event
from expandcontract.runner.functions import importable
from expandcontract.runner.holding import Holding
from expandcontract.runner.limits import limits, workers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from expandcontract.config.settings import Settings
    from expandcontract.core.change import ChangeState
    from expandcontract.core.shape import Work
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place

FIRST_BATCH_PAGES = 750
"""Before it is known how fast the server is."""


def how(settings: Settings) -> How:
    """How rows are filled, from the settings."""
    given = settings.backfill
    first = min(given.window_pages, FIRST_BATCH_PAGES)
    pace = Pace(window_pages=given.window_pages, stripes=given.stripes, batch_pages=first, target=given.target)
    return How(
        pace=pace,
        most_pages=max(given.most_pages, given.window_pages),
        gentle_target=given.gentle_target,
        gentle_statement=given.gentle_statement,
        gentle_rest=given.gentle_rest,
        workers=workers(settings),
        lease=given.lease,
        ceiling=given.ceiling,
        limits=limits(settings),
        function_limit=given.function_limit,
        keys=given.keys,
    )


def fill_rows(place: Place, mover: Mover, change: ChangeState, *works: Work) -> Iterator[Event]:
    """Fill the rows of tables, one after the other, as the pace allows; workers elsewhere may help."""
    importable(place, change.shape)
    holding = Holding()
    for todo in cut(place.url, change.name, works, how(place.settings), epoch=mover.epoch):
        with hot(place.url, command=f"backfill {change.name}") as connection:
            for at in join(Segments(connection, change.name), todo, mover.epoch):
                yield from holding.events(at)
                yield progress(at)


def progress(at: Progress) -> Event:
    """How far a backfill is, as an event."""
    data: dict[str, object] = {
        "done": at.pages_done,
        "total": at.pages_total,
        "rows": at.rows_filled,
        "rate": at.rows_per_s,
        "eta_s": None if at.eta is None else at.eta.total_seconds(),
        "hot_share": at.hot_share,
        "heap_bytes": at.heap_bytes,
        "heap_growth": at.heap_growth,
        "waiting": list(at.waiting),
        "gentle": at.gentle,
        "workers": [asdict(lane) for lane in at.lanes],
    }
    text = f"waiting: {'; '.join(at.waiting)}" if at.waiting else f"{at.rows_filled} rows filled"
    return Event(kind="progress", text=text, change=at.change, data=data)
