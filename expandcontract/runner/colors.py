"""What may stand on a color, and which color may get the traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING

from expandcontract.core.change import requires
from expandcontract.core.fit import misfits, spoken
from expandcontract.core.release import Release, check_version
from expandcontract.errors import RefusedError
from expandcontract.runner.observe import read_weights
from expandcontract.runner.saying import told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from expandcontract.core.change import ChangeState
    from expandcontract.core.color import Color
    from expandcontract.core.release import Speaks
    from expandcontract.ledger import Ledger
    from expandcontract.runner.place import Place


def to_deploy(place: Place, ledger: Ledger, color: Color, version: str, speaks: Mapping[str, Speaks]) -> Release:
    """The release that ``version`` will be on ``color``.

    Raises:
        RefusedError: The color gets traffic, or whether it does is not known.
        UsageError: ``version`` names no release.
        UnknownNameError: ``speaks``, or what else tells it, names a change that does not exist.
        ConfigError: What tells it contradicts itself.
    """
    check_version(version)
    weights, why = read_weights(place)
    if place.switch is not None and (weights is None or why):
        msg = f"whether {color} gets traffic is not known: {why}"
        raise RefusedError(msg, hint="ec status")
    deployed = ledger.releases().get(color)
    if weights is not None and weights.of(color) and deployed is not None and deployed.version != version:
        msg = f"{color} gets {weights.of(color)} % of the traffic with {deployed.version}; nothing is deployed over it"
        raise RefusedError(msg, hint=f"ec deploy {color.other} {version}")
    before = ledger.version(version)
    baseline = before[0] if before else place.project.newest_contract(place.project.applied(ledger.connection))
    remembered = Release(color=color, version=version, baseline=baseline, speaks=before[1] if before else {})
    return told(place, ledger, remembered, speaks)


def may_switch(color: Color, release: Release | None, changes: Sequence[ChangeState]) -> None:
    """Refuse where the color's release does not fit, or would make a change's phase untrue.

    Raises:
        RefusedError: With the changes in the way.
    """
    if release is None:
        msg = f"no release is recorded on {color}"
        raise RefusedError(msg, hint=f"ec deploy {color} VERSION")
    wrong = misfits(release, changes)
    if wrong:
        raise RefusedError(f"{release} does not fit: " + "; ".join(map(str, wrong)), hint="ec status")
    untrue = [c for c in changes if spoken(release, c, changes) not in requires(c)]
    if untrue:
        phases = ", ".join(f"{c.name} would no longer be {c.phase}" for c in untrue)
        msg = f"with {release} live, {phases}"
        raise RefusedError(msg, hint="ec rollback " + " ".join(change.name for change in untrue))
