"""The part of a move that touches releases and the balancer: deploy, probe, smoke, shift, and back."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.color import FULL, Color, Weights
from expandcontract.core.release import Release, Speaks
from expandcontract.errors import SwitchError, TrafficError, UnhealthyError
from expandcontract.ledger import shifts
from expandcontract.pg import roles
from expandcontract.runner import fence
from expandcontract.runner.emptying import Emptying
from expandcontract.runner.events import Event
from expandcontract.runner.following import followed, order, strange
from expandcontract.runner.guarding import guard
from expandcontract.traffic.orders import GO_ON
from expandcontract.traffic.shift import shift
from expandcontract.traffic.switch import abilities, standing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    from expandcontract.core.facts import ColorHealth
    from expandcontract.ledger import Ledger
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place
    from expandcontract.traffic.orders import Order


def release_for(
    ledger: Ledger, version: str, speaks: Mapping[str, Speaks], weights: Weights | None, baseline: str | None
) -> Release:
    """The release of that version, on the color that has it or shall get it: the idle one.

    A version deployed before keeps its baseline and what it was said to speak; ``speaks`` adds to that.
    """
    before = ledger.version(version)
    known = before[1] if before else {}
    for color, deployed in ledger.releases().items():
        if deployed.version == version and (weights is None or weights.of(color) != FULL):
            return replace(deployed, color=color, speaks={**known, **speaks})
    live = weights.live if weights else None
    return Release(
        color=live.other if live else Color.BLUE,
        version=version,
        baseline=before[0] if before else baseline,
        speaks={**known, **speaks},
    )


def put(place: Place, mover: Mover, release: Release, *, names: Sequence[str] = ()) -> Iterator[Event]:
    """Deploy ``release`` on its color unless it is there and answers, and wait until it does. May run twice.

    Args:
        place: Where we work.
        mover: Who moves.
        release: What shall be on its color.
        names: The changes for which it is done; the journal says so.

    Raises:
        DeployError: The deploy command failed.
        UnhealthyError: It does not become ready, or its smoke test failed.
    """
    color, version = release.color, release.version
    told: dict[str, object] = {"color": color, "version": version, "changes": list(names)}
    role = place.settings.color(color).role
    yield from fence.lift(mover, role=role)
    with mover.reading() as ledger:
        deployed = ledger.releases().get(color)
    same = deployed is not None and deployed.version == version and deployed.speaks == release.speaks
    if not same or not place.probe(color, version, wait=False).ok:
        with mover.writing() as ledger:
            ledger.journal("deploy_intent", None, told)
        yield from _tell_role(mover, role, release)
        yield Event(kind="step", text=f"deploying {release}")
        with journaled(mover, "deploy_failed", told):
            place.deployer.deploy(color, version)
        with mover.writing() as ledger:
            ledger.record_release(release, role, names)
        yield Event(kind="deployed", text=f"{release} is deployed", data={"color": color, "version": version})
    else:  # the grant may have come only after it was deployed
        yield from _tell_role(mover, role, release)
    health = place.probe(color, version)
    yield _health(health)
    with journaled(mover, "not_ready", told):
        if not health.ok:
            msg = f"{release} does not become ready: {health.evidence}"
            raise UnhealthyError(msg, hint="mend the release, then the same command again")
    with journaled(mover, "smoke_failed", told):
        failed = place.smoke(color, version)
        if failed:
            msg = f"the smoke test of {release} failed: {failed}"
            raise UnhealthyError(msg, hint="mend the release, then the same command again")


@contextmanager
def journaled(mover: Mover, event: str, detail: Mapping[str, object]) -> Iterator[None]:
    """What fails within the block stands in the journal, with what was seen."""
    try:
        yield
    except TrafficError as exc:
        with mover.writing() as ledger:
            ledger.journal(event, None, {**detail, "code": exc.code, "why": exc.message})
        raise


def _tell_role(mover: Mover, role: str | None, release: Release) -> Iterator[Event]:
    """Put what the release speaks on its login role; a note says so where that is not allowed."""
    if role is None:
        return
    spoken = ",".join(f"{name}={speaks}" for name, speaks in sorted(release.speaks.items()))
    with mover.writing():
        reason = roles.tell(mover.connection, role, spoken)
    if reason:
        why = f"role {role} was not told what {release.version} speaks ({reason}); what changed decides alone"
        yield Event(kind="note", text=f"{why}. ec init prints the grants that are missing", data={"role": role})


def give(
    place: Place,
    mover: Mover,
    color: Color,
    *,
    steps: Sequence[int],
    soak: timedelta,
    names: Sequence[str],
    origin: Weights | None = None,
    back: bool = True,
) -> Iterator[Event]:
    """Shift the traffic to ``color``; every intent is committed before its write, every reading after it.

    Args:
        place: Where.
        mover: Us.
        color: Gets the traffic.
        steps: Per cents of the stages.
        soak: How long each stage is watched.
        names: The changes that move with it.
        origin: Where to go back to on failure; default what the balancer reads.
        back: Whether there is a way back.

    Raises:
        UnhealthyError: The color failed a check; the traffic was taken back.
        AbortedError: Somebody aborted it; the traffic was taken back.
        SwitchError: The balancer failed.
    """
    switch = place.needed_switch()
    with mover.reading() as ledger:
        releases = ledger.releases()
    warning = abilities(switch).warning
    if warning:
        yield Event(kind="note", text=warning)
    begins = origin or standing(switch)
    yield from strange(mover, standing(switch))
    with mover.writing() as ledger:
        if back:
            shifts.begin(ledger, color, begins)
        else:
            shifts.end(ledger)

    def orders() -> Order:
        if not back:  # there is nothing to wait for, and nowhere to go back to
            return GO_ON
        with mover.reading() as ledger:
            return order(shifts.under_way(ledger))

    def check(asked: Color) -> ColorHealth:
        return place.probe(asked, releases[asked].version if asked in releases else None, wait=False)

    events = shift(
        switch,
        toward=color,
        steps=steps,
        soak=soak,
        check=check,
        origin=begins,
        back=back,
        orders=orders,
        busy=Emptying(place, mover, color.other),
        guard=guard(place, releases) if soak else None,
        back_within=place.settings.traffic.back_within,
    )
    try:
        with journaled(mover, "shift_failed", {"toward": color, "changes": list(names)}):
            for event in events:
                yield followed(mover, event, names)
    except TrafficError:
        if came_back(place, begins):
            with mover.writing() as ledger:
                shifts.end(ledger)
        raise
    with mover.writing() as ledger:
        shifts.end(ledger)


def _health(health: ColorHealth) -> Event:
    state = "is ready" if health.ok else "is not ready"
    return Event(
        kind="health", text=f"{health.color} {state}: {health.evidence}", data={"color": health.color, "ok": health.ok}
    )


def came_back(place: Place, origin: Weights | None) -> bool:
    """Whether the balancer reads what it did before the shift."""
    try:
        return place.switch is None or origin is None or place.switch.read() == origin
    except SwitchError:
        return False


__all__ = ["TrafficError", "came_back", "give", "put", "release_for"]
