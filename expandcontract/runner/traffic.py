"""The part of a move that touches releases and the balancer: deploy, probe, smoke, shift, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from expandcontract.core.color import FULL, Color, Weights
from expandcontract.core.release import Release, Speaks
from expandcontract.errors import SwitchError, TrafficError, UnhealthyError
from expandcontract.pg import roles
from expandcontract.runner import fence
from expandcontract.runner.events import Event
from expandcontract.traffic.shift import Checked, Intent, Written, shift
from expandcontract.traffic.switch import abilities

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import timedelta

    from expandcontract.core.facts import ColorHealth
    from expandcontract.ledger import Ledger
    from expandcontract.runner.mover import Mover
    from expandcontract.runner.place import Place


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


def put(place: Place, mover: Mover, release: Release) -> Iterator[Event]:
    """Deploy ``release`` on its color unless it is there, and wait until it answers. May run twice.

    Raises:
        DeployError: The deploy command failed.
        UnhealthyError: It does not become ready, or its smoke test failed.
    """
    role = place.settings.color(release.color).role
    yield from fence.lift(mover, role=role)
    with mover.reading() as ledger:
        deployed = ledger.releases().get(release.color)
    same = deployed is not None and deployed.version == release.version and deployed.speaks == release.speaks
    if not same:
        with mover.writing() as ledger:
            ledger.journal("deploy_intent", None, {"color": release.color, "version": release.version})
        yield from _tell_role(mover, role, release)
        yield Event(kind="step", text=f"deploying {release}")
        place.deployer.deploy(release.color, release.version)
        with mover.writing() as ledger:
            ledger.record_release(release, role)
        yield Event(
            kind="deployed", text=f"{release} is deployed", data={"color": release.color, "version": release.version}
        )
    else:  # the grant may have come only after it was deployed
        yield from _tell_role(mover, role, release)
    health = place.probe(release.color)
    yield _health(health)
    if not health.ok:
        msg = f"{release} does not become ready: {health.evidence}"
        raise UnhealthyError(msg, hint="mend the release, then the same command again")
    failed = place.smoke(release.color)
    if failed:
        msg = f"the smoke test of {release} failed: {failed}"
        raise UnhealthyError(msg, hint="mend the release, then the same command again")


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
) -> Iterator[Event]:
    """Shift the traffic to ``color``; every intent is committed before its write, every reading after it.

    Raises:
        UnhealthyError: The color failed a check; the traffic was taken back.
        SwitchError: The balancer failed.
    """
    switch = place.needed_switch()
    warning = abilities(switch).warning
    if warning:
        yield Event(kind="note", text=warning)
    for event in shift(
        switch, toward=color, steps=steps, soak=soak, check=lambda asked: place.probe(asked, wait=False), origin=origin
    ):
        match event:
            case Intent(weights):
                with mover.writing() as ledger:
                    ledger.journal("traffic_intent", None, {**weights.document(), "changes": list(names)})
                yield Event(kind="intent", text=f"setting {weights}", data=dict(weights.document()))
            case Written(weights):
                with mover.writing() as ledger:
                    ledger.record_weights(weights)
                yield Event(kind="traffic", text=f"the balancer gives {weights}", data=dict(weights.document()))
            case Checked(health):
                yield _health(health)


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
