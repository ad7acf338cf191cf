"""What ``ec status`` and ``ec plan`` answer: stable documents, the same ones that are served over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.duration import in_words
from expandcontract.core.fit import fitting, spoken
from expandcontract.core.phase import ORDER, Move
from expandcontract.core.plan import implied, next_move
from expandcontract.core.release import Speaks
from expandcontract.errors import LedgerTamperedError
from expandcontract.ledger import shifts
from expandcontract.runner import drifting
from expandcontract.runner.observe import merged, read_weights
from expandcontract.runner.steering import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from expandcontract.core.change import ChangeState
    from expandcontract.core.color import Color
    from expandcontract.core.release import Release
    from expandcontract.ledger import Ledger
    from expandcontract.runner.place import Place


def status(place: Place, ledger: Ledger, name: str | None, *, files: bool = True) -> dict[str, object]:
    """The state of one change or of all, of the releases and of the traffic.

    Args:
        place: Where.
        ledger: Of the database.
        name: Only this change.
        files: Whether the project's revisions are there to be read, which know the changes that are only planned.
    """
    now = ledger.now()
    weights, why = read_weights(place)
    recorded, under_way = ledger.weights(), shifts.under_way(ledger)
    found = ledger.installation()
    changes = merged(place, ledger) if files else ledger.changes()
    releases = ledger.releases()
    return {
        "now": now.isoformat(),
        "database": place.url.database,
        "development": found.development,
        "head": ledger.verify_history()["head"],
        "changes": [
            {**_change(ledger, change, now), "releases": _fits(change, releases, changes)}
            for change in changes
            if name is None or change.name == name
        ],
        "releases": {
            str(color): {
                "version": release.version,
                "baseline": release.baseline,
                "speaks": dict(release.speaks),
                "role": place.settings.color(color).role,
                "deployed_at": release.deployed_at.isoformat() if release.deployed_at else None,
            }
            for color, release in sorted(releases.items())
        },
        "traffic": {
            "weights": dict(weights.document()) if weights else None,
            "recorded": dict(recorded.document()) if recorded else None,
            "error": why,
            "drift": drifting.document(place, ledger, files=files),
            "shift": under_way.document() if under_way else None,
        },
        "fences": [{"role": fence.role, "change": fence.change} for fence in ledger.fences()],
        "integrity": [{"change": change, "what": what} for change, what in ledger.integrity()],
    }


def _fits(
    change: ChangeState, releases: Mapping[Color, Release], changes: Sequence[ChangeState]
) -> dict[str, dict[str, object]]:
    """For each color with a release: what it speaks of the change, and whether that fits where the change stands."""
    fits = fitting(change)
    found = {color: spoken(release, change, changes) for color, release in sorted(releases.items())}
    return {
        str(color): {
            "version": releases[color].version,
            "speaks": str(speaks),
            "fits": speaks in fits,
            "wanted": [str(word) for word in Speaks if word in fits],
        }
        for color, speaks in found.items()
    }


def _change(ledger: Ledger, change: ChangeState, now: datetime) -> dict[str, object]:
    move = next_move(change)
    window = change.window
    remaining = window.remaining(now)
    return {
        "name": change.name,
        "phase": str(change.phase),
        "number": ORDER.index(change.phase),
        "in_flight": None
        if change.in_flight is None
        else {
            "move": str(change.in_flight.move),
            "since": change.in_flight.since.isoformat(),
            "version": change.in_flight.version,
        },
        "next_move": str(move) if move else None,
        "next": None if move is None else following(change, move),
        "kind": str(change.kind),
        "tables": [str(table) for table in change.shape.tables],
        "by_database": change.by_database,
        "before_dual": str(change.before_dual) if change.before_dual else None,
        "before_cut_over": str(change.before_cut_over) if change.before_cut_over else None,
        "rows_filled": ledger.rows_filled(change.name),
        "backfill": shown(ledger, change.name),
        "conflicts": ledger.conflicts(change.name),
        "window": {
            "length": in_words(window.length),
            "opened_at": window.opened_at.isoformat() if window.opened_at else None,
            "closes_at": window.closes_at.isoformat() if window.closes_at else None,
            "remaining_s": remaining.total_seconds() if remaining is not None else None,
        },
    }


def verified(ledger: Ledger) -> dict[str, object]:
    """The journal's head, its chain of hashes recomputed.

    Raises:
        LedgerTamperedError: It does not hold; the first entry that was altered is named.
    """
    found = ledger.verify_history()
    if found["broken"] is not None or not found["head_holds"]:
        msg = f"the journal was altered at entry {found['broken'] or 'the last one'}"
        raise LedgerTamperedError(msg)
    return found


def following(change: ChangeState, move: Move) -> str:
    """What to type for the next move, with the choice that it wants."""
    if move is Move.ROLL_BACK:
        return f"ec rollback {change.name}"
    command = f"ec advance {change.name}"
    if change.in_flight is not None:
        return f"{command}, or ec rollback {change.name}"
    if implied(move) is None or change.unnoticed:
        return command
    by = f", or {command} --by database" if move is Move.DUAL_WRITE else ""
    return f"{command} --release VERSION{by}"
