"""``ec rollback --dry-run``: where traffic would go, what would be deployed and lost, and what the gates say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.gates.release import taken
from expandcontract.core.phase import Move, Phase, after
from expandcontract.core.plan import judge
from expandcontract.ledger import Ledger
from expandcontract.pg.connect import connect
from expandcontract.runner import back, forward, rows
from expandcontract.runner.observe import known, merged, observe, read_weights, usable
from expandcontract.runner.together import own

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from expandcontract.core.change import ChangeState
    from expandcontract.core.color import Color, Weights
    from expandcontract.core.plan import Judgement
    from expandcontract.core.release import Release
    from expandcontract.runner.place import Place


def rollback(place: Place, names: Sequence[str], steps: Sequence[int]) -> dict[str, object]:
    """What ``ec rollback`` of these changes would do now, JSON-ready; reads only, scans tables of a lossy mapping.

    Args:
        place: Where.
        names: The changes.
        steps: Per cents of the traffic's way back.

    Raises:
        RefusedError: No release takes all of them back.
        UnknownNameError: There is no such change.
    """
    with connect(place.url, command="rollback --dry-run") as connection:
        ledger = Ledger(connection, window=place.settings.window.length)
        changes = [known(place, ledger, name) for name in names]
        flying = next((change for change in changes if change.in_flight is not None), None)
        if flying is not None and flying.in_flight is not None and flying.in_flight.move is not Move.ROLL_BACK:
            return _taken_back(place, ledger, flying, steps)
        if flying is None:
            asked = back.asked_of_all(place, ledger, changes)
        else:
            asked, _, steps = forward.recalled(flying)
        facts = []
        for change in changes:
            of_it = own(change, asked)
            usable(place, connection, change, of_it)
            facts.append(observe(place, connection, ledger, change.name, of_it))
        judgements = [judge(found) for found in facts]
        releases = ledger.releases()
    lost = [note for change in changes if change.phase is Phase.CUT_OVER for note in rows.lost(place, change)]
    return {
        **_way(read_weights(place)[0], asked.release, steps),
        "changes": [_leads(change) for change in changes],
        "deploys": _deploys(asked.release, releases),
        "others": sorted({other.name for found in facts for other in taken(found)}),
        "lost": [{"text": note.text, **note.data} for note in lost],
        "judgements": [judgement.document() for judgement in judgements],
        "open": all(judgement.open for judgement in judgements),
        "next": _next(judgements, names, steps),
    }


def _taken_back(place: Place, ledger: Ledger, flying: ChangeState, steps: Sequence[int]) -> dict[str, object]:
    """A move that was broken off: its changes stand where it began, and the traffic where it did."""
    asked, origin, _ = forward.recalled(flying)
    names = sorted(asked.together | {flying.name})
    found = [change for change in merged(place, ledger) if change.name in names and change.in_flight is not None]
    before = ledger.releases().get(origin.live) if origin is not None and origin.live and asked.release else None
    return {
        **_way(read_weights(place)[0], before, steps),
        "changes": [{"name": one.name, "from": f"{asked.move} in flight", "to": str(one.phase)} for one in found],
        "deploys": None,
        "others": [],
        "lost": [],
        "judgements": [],
        "open": True,
        "next": f"ec rollback {flying.name}",
    }


def _way(now: Weights | None, release: Release | None, steps: Sequence[int]) -> dict[str, object]:
    """Where the traffic is and where it would go; nowhere where it stays."""
    moves = release is not None and (now is None or now.live is not release.color)
    return {
        "traffic": {
            "now": dict(now.document()) if now else None,
            "to": str(release.color) if release is not None and moves else None,
            "version": release.version if release is not None and moves else None,
            "steps": list(steps) if moves else [],
        }
    }


def _leads(change: ChangeState) -> dict[str, object]:
    to = after(change.phase, Move.ROLL_BACK, change.kind)
    return {"name": change.name, "from": str(change.phase), "to": None if to is None else str(to)}


def _deploys(release: Release | None, releases: Mapping[Color, Release]) -> dict[str, object] | None:
    """What would be deployed first; ``None`` where the release is there already, or none is needed."""
    if release is None:
        return None
    there = releases.get(release.color)
    if there is not None and there.version == release.version:
        return None
    over = there.version if there else None
    return {"color": str(release.color), "version": release.version, "over": over}


def _next(judgements: Sequence[Judgement], names: Sequence[str], steps: Sequence[int]) -> str:
    shut = next((judgement for judgement in judgements if not judgement.open), None)
    if shut is not None:
        return shut.next_command
    staged = f" --steps {','.join(map(str, steps))}" if len(steps) > 1 else ""
    return f"ec rollback {' '.join(names)}{staged}"
