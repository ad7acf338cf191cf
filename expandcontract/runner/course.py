"""How a backfill goes and has gone, from what its processes have kept: for ``ec status`` and for plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from expandcontract.ledger import Ledger
from expandcontract.pg.connect import connect
from expandcontract.runner.observe import known

if TYPE_CHECKING:
    from expandcontract.runner.place import Place


def course(place: Place, name: str) -> dict[str, object]:
    """Every sample that was kept of the change's backfill, oldest first.

    Raises:
        UnknownNameError: There is no such change.
    """
    with connect(place.url, command="backfill history") as connection:
        ledger = Ledger(connection, window=place.settings.window.length)
        known(place, ledger, name)
        return {"change": name, "samples": [document(row) for row in ledger.samples(name)]}


def latest(ledger: Ledger, name: str) -> dict[str, object] | None:
    """How far the backfill was when it was last looked at; ``None`` where nothing has been kept."""
    row = ledger.latest_sample(name)
    if row is None:
        return None
    first = row["heap_bytes_at_first"]
    return {**document(row), "heap_growth": row["heap_bytes"] / first if first else 1.0}


def document(row: dict[str, Any]) -> dict[str, object]:
    """A sample as a JSON-ready mapping."""
    return {
        "at": row["at"].isoformat(),
        "table": row["relation"],
        "done": row["done"],
        "total": row["total"],
        "share": row["done"] / row["total"] if row["total"] else 1.0,
        "rows": row["rows"],
        "rate": row["rate"],
        "eta_s": None if row["eta"] is None else row["eta"].total_seconds(),
        "hot_share": row["hot_share"],
        "heap_bytes": row["heap_bytes"],
        "waiting": list(row["waiting"]),
    }
