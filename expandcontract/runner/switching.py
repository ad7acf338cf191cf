"""``ec switch``: all the traffic to a color, and what somebody else made of the traffic accepted as the truth."""

from __future__ import annotations

import getpass
import socket
from datetime import timedelta
from typing import TYPE_CHECKING

from expandcontract.core.color import FULL, Weights
from expandcontract.core.fit import spoken
from expandcontract.core.phase import Phase
from expandcontract.core.serving import strayed, unfit, untrue
from expandcontract.errors import RefusedError
from expandcontract.ledger import Ledger, shifts
from expandcontract.pg.connect import connect
from expandcontract.runner import colors
from expandcontract.runner.events import Event
from expandcontract.runner.mover import holder
from expandcontract.runner.observe import merged
from expandcontract.runner.traffic import give
from expandcontract.traffic import checks
from expandcontract.traffic.switch import abilities, standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from expandcontract.core.change import ChangeState
    from expandcontract.core.color import Color
    from expandcontract.core.release import Release
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place

WORDS = ("pause", "resume", "abort")


def switch(place: Place, mover: Mover, color: Color, steps: Sequence[int] | None) -> Iterator[Event]:
    """Shift all the traffic to a color whose release fits and keeps every change's phase true.

    Where a release that does not fit gets traffic now, all of it goes at once, and none goes back to it.

    Raises:
        RefusedError: The color's release does not fit, or a phase would become untrue.
        TrafficError: The balancer or the color failed.
    """
    with mover.reading() as ledger:
        changes, releases, began = merged(place, ledger), ledger.releases(), shifts.under_way(ledger)
    colors.may_switch(color, releases.get(color), changes)
    found = standing(place.needed_switch())
    wrong = {other: why for other, why in unfit(found, releases, changes).items() if other in releases}
    restarts = [change for change in changes if _restarts(change, found, releases, changes)]
    with mover.writing() as ledger:
        for change in restarts:  # closed before the shift, opened after it: a kill in between leaves it closed
            if change.window.opened_at is not None:
                ledger.close_window(change.name)
    traffic = place.settings.traffic
    if wrong:
        yield Event(kind="note", text=f"{'; '.join(wrong.values())}; all the traffic goes to {color} at once")
    yield from give(
        place,
        mover,
        color,
        steps=(FULL,) if wrong else steps or traffic.steps,
        soak=timedelta() if wrong else traffic.soak,
        names=[],
        origin=_origin(began, color, releases, changes),
        back=not wrong,
    )
    with mover.writing() as ledger:
        for change in restarts:
            ledger.open_window(change.name)
    for change in restarts:
        yield Event(kind="note", text=f"the rollback window of {change.name} starts anew", change=change.name)
    yield Event(kind="finished", text=f"{color} has all the traffic")


def _restarts(
    change: ChangeState, found: Weights, releases: Mapping[Color, Release], changes: Sequence[ChangeState]
) -> bool:
    """Whether the window begins anew with this shift: a release that does not speak new could serve until now."""
    closed = change.phase is Phase.CUT_OVER and change.window.opened_at is None
    return closed or strayed(change, found, releases, changes)


def _origin(
    began: shifts.Shift | None, color: Color, releases: Mapping[Color, Release], changes: Sequence[ChangeState]
) -> Weights | None:
    """Where a shift that was broken off had begun, if the traffic may go back there."""
    if began is None or began.toward is not color or unfit(began.origin, releases, changes):
        return None
    return began.origin


def adopt(place: Place, mover: Mover) -> Iterator[Event]:
    """Accept the weights that the balancer reads as the truth; the balancer is not written.

    Raises:
        RefusedError: A move is in flight, or a release that gets traffic does not fit.
        SwitchError: The balancer cannot be read, or a restart would change the traffic.
    """
    found = place.needed_switch().read()
    with mover.reading() as ledger:
        changes, releases, recorded = merged(place, ledger), ledger.releases(), ledger.weights()
    flying = next((change for change in changes if change.in_flight is not None), None)
    if flying is not None and flying.in_flight is not None:
        msg = f"{flying.in_flight.move} of {flying.name} is in flight, and goes on from what the balancer reads"
        raise RefusedError(msg, hint=f"ec advance {flying.name}, or ec rollback {flying.name}")
    wrong = unfit(found, releases, changes)
    if wrong:
        refused = "; ".join(wrong.values())
        kept = recorded.live if recorded and recorded.live and recorded.live not in wrong else None
        msg = f"the balancer gives {found}, which cannot be accepted: {refused}"
        raise RefusedError(msg, hint=f"ec switch {kept or 'COLOR'}")
    if found == recorded:
        yield Event(kind="finished", text=f"the balancer gives {found}, as the ledger has it")
        return
    before = recorded or found
    stray = [change for change in changes if strayed(change, found, releases, changes)]
    back = [c for c in changes if c not in stray and _restarts(c, before, releases, changes)]
    with mover.writing() as ledger:
        was = recorded.document() if recorded else None
        ledger.journal("traffic_adopted", None, {"recorded": was, "found": found.document()})
        ledger.record_weights(found)
        shifts.end(ledger)
        for change in stray:
            if change.window.opened_at is not None:
                ledger.close_window(change.name)
        for change in back:
            ledger.open_window(change.name)
    yield from _said(found, stray, back, releases, changes)
    yield Event(kind="finished", text=f"the ledger has {found} now", data=dict(found.document()))


def _said(
    found: Weights,
    stray: Sequence[ChangeState],
    back: Sequence[ChangeState],
    releases: Mapping[Color, Release],
    changes: Sequence[ChangeState],
) -> Iterator[Event]:
    for change in stray:
        text = f"the rollback window of {change.name} starts anew once every release with traffic speaks new"
        yield Event(kind="note", text=text, change=change.name)
    for change in back:
        yield Event(kind="note", text=f"the rollback window of {change.name} starts anew", change=change.name)
    for change, release in untrue(found, releases, changes):
        speaks = spoken(release, change, changes)
        text = f"{change.name} is {change.phase}, and {release}, which speaks {speaks}, gets traffic"
        text += f"; ec rollback {change.name} goes back with it, ec switch {release.color.other} puts the traffic back"
        yield Event(kind="note", text=text, change=change.name)


def look(place: Place) -> dict[str, object]:
    """Whether the configured balancer can be reached, read and written, JSON-ready; changes nothing.

    Raises:
        ConfigError: No switch is set, or a setting of its own is missing.
    """
    found = place.needed_switch()
    can, seen = abilities(found), checks.look(found)
    return {
        "switch": place.settings.traffic.switch,
        "gradual": can.gradual,
        "per_request": can.per_request,
        "warning": can.warning or None,
        "checks": [check.document() for check in seen],
        "ok": all(check.ok for check in seen),
    }


def tell(place: Place, word: str, why: str | None) -> str:
    """Let the shift that is under way pause, resume or abort, in whatever process; gives what is said of it.

    Needs no mover lock. May run any number of times.

    Raises:
        RefusedError: No shift is under way, or it has been aborted already.
    """
    by = f"{getpass.getuser()} on {socket.gethostname()}"
    with connect(place.url, command=f"switch {word}") as connection:
        ledger = Ledger(connection, window=place.settings.window.length)
        done = shifts.tell(ledger, word, by, why)
        found, worker = shifts.under_way(ledger), holder(connection, ledger)
        connection.commit()
    if found is None:
        msg = f"no shift is under way; there is nothing to {word}"
        raise RefusedError(msg, hint="ec status")
    if not done:
        msg = f"the shift toward {found.toward} was aborted {found.aborted}"
        raise RefusedError(msg, hint="ec status")
    said = {
        "pause": f"the shift toward {found.toward} stays where it is",
        "resume": f"the shift toward {found.toward} goes on",
        "abort": f"the shift toward {found.toward} goes back to {found.origin}",
    }[word]
    if worker is None:
        said += "; nobody works on it at the moment: the command that began it, run again, heeds this"
    return said
